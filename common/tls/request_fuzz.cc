// Any bytes as a certificate request: refused, or one key on P-256 that a certificate can carry.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "common/tls/key.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kInfoBytesMax = 91;  // of an uncompressed point on P-256
  const auto key = slipway::tls::PublicKeyOfRequest({reinterpret_cast<const char*>(data), size});
  if (key.ok() && key->size() > kInfoBytesMax) std::abort();
  if (!key.ok() && key.status().message().size() > 512) std::abort();
  return 0;
}
