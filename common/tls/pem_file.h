// Certificates and keys as files. Small, private where they must be, replaced whole.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace slipway::tls {

inline constexpr mode_t kPrivate = 0600;
inline constexpr mode_t kPublic = 0644;

// Replaces `path` in one step: temporary file in the same folder, fsync, rename, fsync of the
// folder. The mode is set before the first byte is written. Errors name the path.
absl::Status WriteFile(const std::string& path, std::string_view bytes, mode_t mode);

// Reads a file of at most 1 MiB. Errors: NOT_FOUND, PERMISSION_DENIED, RESOURCE_EXHAUSTED (larger).
absl::StatusOr<std::string> ReadFile(const std::string& path);

// The same for a secret: PERMISSION_DENIED when group or others may read it, with the remedy.
absl::StatusOr<std::string> ReadPrivateFile(const std::string& path);

}  // namespace slipway::tls
