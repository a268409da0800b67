// The version of everything that is built from this tree.
#pragma once

#include <string_view>

namespace slipway {

// "0.1.0": the version of the CMake project.
std::string_view Version();

}  // namespace slipway
