// Secrets of the host, and how they reach a client program: by a file on tmpfs, never by argv or
// environment, which other users can read.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace slipway::agent {

// The first line of the secret file at `path`. PERMISSION_DENIED: it is no plain file, belongs to
// somebody else, or others may read it. Messages never hold the secret.
absl::StatusOr<std::string> ReadSecret(const std::string& path);

// A file that only this user may read (0400), in `folder`, which must lie on tmpfs: no disk ever
// sees it. Writing it again replaces it at once. It stays until Remove, since a child that outlives
// the agent still needs it.
class TmpfsFile {
 public:
  // FAILED_PRECONDITION: `folder` is not on tmpfs. PERMISSION_DENIED: it is not ours alone.
  static absl::StatusOr<TmpfsFile> Write(const std::string& folder, const std::string& name,
                                         const std::string& content);
  const std::string& path() const { return path_; }
  void Remove() const;

 private:
  explicit TmpfsFile(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace slipway::agent
