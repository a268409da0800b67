// Hostile bytes either are the one spelling of a valid manifest or are refused.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "common/artifact/manifest.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto manifest = slipway::ParseManifest(bytes);
  if (!manifest.ok()) return 0;
  const auto again = slipway::EncodeManifest(*manifest);
  if (!again.ok() || *again != bytes) std::abort();
  for (const slipway::FileEntry& file : manifest->files) {
    if (!slipway::ValidatePath(file.path).ok()) std::abort();
  }
  return 0;
}
