// "sha256:" and 64 lower-case hex digits: how content is named everywhere.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace slipway {

// A value. The algorithm is part of the text from the first day on, so that a second one can come.
class Digest {
 public:
  static constexpr std::size_t kBytes = 32;

  // INVALID_ARGUMENT unless `text` is exactly "sha256:" and 64 digits of 0-9a-f.
  static absl::StatusOr<Digest> Parse(std::string_view text);
  // Of the whole of `bytes`.
  static Digest Of(std::string_view bytes);

  explicit Digest(const std::array<std::uint8_t, kBytes>& bytes) : bytes_(bytes) {}

  std::string ToString() const;  // "sha256:9f86d081…"
  std::string Hex() const;       // the 64 digits alone
  std::string Short() const;     // the first 8 of them, for people and folder names

  auto operator<=>(const Digest&) const = default;

 private:
  std::array<std::uint8_t, kBytes> bytes_;
};

// SHA-256 of what is fed to it, piece by piece. One thread at a time.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;

  void Update(std::string_view bytes);
  // Of everything since construction or the last Finish; starts anew.
  Digest Finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace slipway
