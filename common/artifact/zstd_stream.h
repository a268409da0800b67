// zstd in pieces, for content on the wire. One thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace slipway {

using ByteSink = std::function<absl::Status(std::string_view)>;

// Makes one frame. What comes out is handed to `sink` in pieces of any size.
class ZstdCompressor {
 public:
  explicit ZstdCompressor(ByteSink sink);
  ~ZstdCompressor();

  absl::Status Write(std::string_view bytes);
  absl::Status Finish();

 private:
  absl::Status Pump(std::string_view bytes, bool last);
  struct Context;
  const std::unique_ptr<Context> context_;
  const ByteSink sink_;
};

// Takes one frame from an untrusted peer. Never hands out more than `bytes_max` bytes, never needs
// more than 8 MiB of window. INVALID_ARGUMENT: not zstd, longer than bytes_max, a window that is
// too big, or bytes behind the frame.
class ZstdDecompressor {
 public:
  ZstdDecompressor(std::uint64_t bytes_max, ByteSink sink);
  ~ZstdDecompressor();

  absl::Status Write(std::string_view bytes);
  // INVALID_ARGUMENT when the frame is not complete.
  absl::Status Finish() const;

 private:
  struct Context;
  const std::unique_ptr<Context> context_;
  const ByteSink sink_;
  std::uint64_t left_;
  bool frame_done_ = false;
};

// Whether compressing content that begins with `sample` makes it notably smaller.
bool IsWorthCompressing(std::string_view sample);

}  // namespace slipway
