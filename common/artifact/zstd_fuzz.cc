// Whatever bytes arrive, no more than announced comes out.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "common/artifact/zstd_stream.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::uint64_t kBytesMax = 100'000;
  std::uint64_t out = 0;
  slipway::ZstdDecompressor decompressor(kBytesMax, [&](std::string_view piece) {
    out += piece.size();
    return absl::OkStatus();
  });
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t half = size / 2;
  if (decompressor.Write(bytes.substr(0, half)).ok() &&
      decompressor.Write(bytes.substr(half)).ok()) {
    (void)decompressor.Finish();
  }
  if (out > kBytesMax) std::abort();
  return 0;
}
