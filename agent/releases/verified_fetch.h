// From an untrusted source to a file whose content is proved.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "common/artifact/content_source.h"
#include "common/artifact/manifest.h"
#include "common/fs/directory.h"

namespace slipway::agent {

// Called with each piece that was written; an error ends the transfer.
using OnBytes = std::function<absl::Status(std::uint64_t bytes)>;

// The canonical manifest of `digest`. DATA_LOSS when the source sent something else.
absl::StatusOr<std::string> FetchManifest(ContentSource& content, const std::string& digest);

// Brings `entry` to `target`/`target_name`, by way of a file in `parts` from which a broken
// transfer goes on. The file gets its place and its name only after its digest was found right; it
// is read-only. Durable after a sync of the file system.
//
// DATA_LOSS: the content does not match, nothing is kept. RESOURCE_EXHAUSTED: disk full, nothing is
// kept. UNAVAILABLE, CANCELLED and others: what came is kept in `parts`.
absl::Status FetchFile(ContentSource& content, const FileEntry& entry, const Directory& parts,
                       const Directory& target, const std::string& target_name,
                       const OnBytes& on_bytes);

// Whether `dir`/`name` is a regular file with the content that `entry` says.
bool HasContent(const Directory& dir, const std::string& name, const FileEntry& entry);

// The mode of a file of a release on a host: nobody writes it again.
inline std::uint32_t ReadOnly(std::uint32_t mode) {
  return mode & 0555;
}

}  // namespace slipway::agent
