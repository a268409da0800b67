// Single files of releases (hooks, migrations) on hosts that stage nothing.
#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "common/artifact/content_source.h"
#include "common/fs/directory.h"

namespace slipway::agent {

// One thread at a time.
class ReleaseCache {
 public:
  explicit ReleaseCache(Directory root) : root_(std::move(root)) {}

  // See HostReleases::CachedFile.
  absl::StatusOr<std::string> File(const std::string& digest, const std::string& path,
                                   ContentSource& content);
  // See HostReleases::CachedFolder.
  absl::StatusOr<std::string> Folder(const std::string& digest, const std::string& path,
                                     ContentSource& content);

 private:
  using Wanted = std::function<bool(const std::string& path)>;
  // Brings the files that are wanted; the folder that they lie below. NOT_FOUND: there is none.
  absl::StatusOr<std::string> Bring(const std::string& digest, const std::string& path,
                                    const Wanted& wanted, ContentSource& content);
  absl::StatusOr<Directory> FolderOf(const std::string& digest);
  absl::Status NoteUse(const std::string& digest);

  const Directory root_;
};

}  // namespace slipway::agent
