// One open regular file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/fs/unique_fd.h"

namespace slipway {

enum class FileKind { regular, directory, symlink, other };

struct FileInfo {
  FileKind kind = FileKind::other;
  std::uint32_t mode = 0;   // permission bits, with setuid, setgid and sticky
  std::uint32_t owner = 0;  // uid
  std::uint32_t group = 0;  // gid
  std::uint64_t size = 0;   // bytes
  std::uint64_t inode = 0;  // two names with the same one are one file
};

// One thread at a time. Errors name the path.
class File {
 public:
  File(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  // Writes all of `bytes` at the end of what was written so far (or of the file, when it was
  // opened for appending). RESOURCE_EXHAUSTED when the disk is full.
  absl::Status Append(std::string_view bytes);

  // Up to `bytes_max` bytes from `offset` on; fewer only at the end of the file.
  absl::StatusOr<std::string> ReadAt(std::uint64_t offset, std::size_t bytes_max) const;

  absl::StatusOr<FileInfo> Info() const;
  absl::Status SetMode(std::uint32_t mode);
  absl::Status SetOwner(std::uint32_t owner, std::uint32_t group);
  absl::Status Truncate(std::uint64_t size);
  // What was written survives a loss of power. The name needs Directory::Sync.
  absl::Status Sync();

  int fd() const { return fd_.get(); }
  const std::string& path() const { return path_; }

 private:
  UniqueFd fd_;
  std::string path_;
};

// "cannot DO PATH: reason", with the code that `error_number` stands for.
absl::Status SystemError(int error_number, std::string_view doing, const std::string& path);

}  // namespace slipway
