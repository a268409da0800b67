#include "agent/services/lib_systemd.h"

#include <dlfcn.h>

#include "absl/strings/str_cat.h"

namespace slipway::agent {
namespace {

absl::StatusOr<const LibSystemd*> Load() {
  void* library = dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat("units need the library libsystemd0 on this host: ", dlerror()));
  }
  auto* lib = new LibSystemd();  // for the life of the process
  for (const auto& [name, function] : {
#define SLIPWAY_LOOK_UP(name) std::pair{#name, reinterpret_cast<void**>(&lib->name)},
           SLIPWAY_LIB_SYSTEMD(SLIPWAY_LOOK_UP)
#undef SLIPWAY_LOOK_UP
       }) {
    *function = dlsym(library, name);
    if (*function == nullptr) {
      return absl::FailedPreconditionError(absl::StrCat("libsystemd0 of this host has no ", name));
    }
  }
  return lib;
}

}  // namespace

absl::StatusOr<const LibSystemd*> LoadLibSystemd() {
  static const auto* const kLoaded = new absl::StatusOr<const LibSystemd*>(Load());
  return *kLoaded;
}

}  // namespace slipway::agent
