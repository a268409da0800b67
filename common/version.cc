#include "common/version.h"

#ifndef SLIPWAY_VERSION
#error "SLIPWAY_VERSION comes from CMake"
#endif

namespace slipway {

std::string_view Version() {
  return SLIPWAY_VERSION;
}

}  // namespace slipway
