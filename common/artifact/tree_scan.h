// A folder on disk as the files of a manifest.
#pragma once

#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/artifact/manifest.h"
#include "common/fs/directory.h"

namespace slipway {

// Reads every file below `root`; the result is sorted by path. A file that its owner may execute
// counts as 0755, any other as 0644. Symbolic links, devices, fifos, sockets and files with setuid,
// setgid or sticky bits are refused by name (INVALID_ARGUMENT), as are names that no manifest may
// hold and trees beyond its bounds. A file that changes while it is read is ABORTED.
absl::StatusOr<std::vector<FileEntry>> ScanTree(const Directory& root);

// Reads `file` in pieces from `offset` to its end.
absl::Status ReadPieces(const File& file, std::uint64_t offset,
                        const std::function<absl::Status(std::string_view)>& sink);

}  // namespace slipway
