// Files that a person named.
#pragma once

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"

namespace slipway::cli {

// No file that a person writes is longer.
inline constexpr std::size_t kReadFileBytesMax = 16 << 20;

// All of it. NOT_FOUND with the path and why; INVALID_ARGUMENT: longer than kReadFileBytesMax.
absl::StatusOr<std::string> ReadFile(const std::string& path);

}  // namespace slipway::cli
