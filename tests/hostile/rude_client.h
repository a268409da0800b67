// A peer that speaks TLS and HTTP/2 as rudely as it likes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/tls/client_config.h"

namespace slipway::test {

// --- Frames ---

inline constexpr std::uint8_t kData = 0, kHeaders = 1, kPriority = 2, kReset = 3, kSettings = 4,
                              kPing = 6, kWindowUpdate = 8, kContinuation = 9;
inline constexpr std::uint8_t kEndStream = 1, kEndHeaders = 4;

// Number in network order, `size` bytes.
std::string Number(std::uint64_t value, int size);
std::string Frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
                  std::string_view payload);
// One header field, spelled out.
std::string Field(std::string_view name, std::string_view value);
// The header block of a gRPC call.
std::string CallOf(std::string_view method);
// What a client says first.
std::string Preface();

// --- Connections ---

// A TCP connection to 127.0.0.1; -1: refused.
int ConnectTo(int port);

class RudeClient {
 public:
  // TLS with ALPN h2; with a certificate when `material` has one. The server is not verified.
  RudeClient(int port, const tls::KeyMaterial& material);
  ~RudeClient();
  RudeClient(const RudeClient&) = delete;
  RudeClient& operator=(const RudeClient&) = delete;

  bool connected() const { return connected_; }
  // Sends all of it, and drops what comes back. False: the other side is gone, or took nothing for
  // five seconds.
  bool Send(std::string_view bytes);
  // The other side closes within thirty seconds. It is not answered meanwhile.
  bool AwaitClose();

 private:
  struct Tls;
  // Drops what arrived; false: closed.
  bool Drain();

  std::unique_ptr<Tls> tls_;
  bool connected_ = false;
};

}  // namespace slipway::test
