// Files that a person named.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace slipway::cli {

// All of it; NOT_FOUND with the path and why.
absl::StatusOr<std::string> ReadFile(const std::string& path);

}  // namespace slipway::cli
