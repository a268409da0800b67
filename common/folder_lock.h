// One process for each state folder.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace slipway {

// Held until the object, or the process, is gone: a kill leaves nothing behind that would have to
// be cleaned up.
class FolderLock {
 public:
  // Locks `folder`/lock. FAILED_PRECONDITION: another process has it.
  static absl::StatusOr<FolderLock> Take(const std::string& folder);
  FolderLock(FolderLock&& other) noexcept;
  ~FolderLock();

 private:
  explicit FolderLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace slipway
