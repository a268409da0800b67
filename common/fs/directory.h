// File work that cannot leave its root.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/fs/file.h"
#include "common/fs/unique_fd.h"

namespace slipway {

// Permissions that a file is given; without an owner it belongs to this process.
struct FileAccess {
  std::uint32_t mode = 0644;
  std::optional<std::uint32_t> owner = std::nullopt;  // uid
  std::optional<std::uint32_t> group = std::nullopt;  // gid
};

// An open directory. All names are relative to it and are resolved by the kernel (openat2) so that
// neither "..", an absolute path nor a symbolic link leads anywhere else, whoever swaps what
// meanwhile. Moving or replacing the directory itself does not confuse an open one.
//
// Thread-safe as far as the file system is: two writers of one name are the caller's mistake.
// Errors name the full path: NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED (also: a symbolic link
// stands in the way), RESOURCE_EXHAUSTED (disk full), INVALID_ARGUMENT (the name is no plain
// relative path).
class Directory {
 public:
  // The root itself may be reached through symbolic links: whoever names it is trusted.
  static absl::StatusOr<Directory> Open(const std::string& path);
  // Makes the root and its parents when they are absent; `mode` is that of the root, when made.
  static absl::StatusOr<Directory> OpenOrMake(const std::string& path, std::uint32_t mode);

  const std::string& path() const { return path_; }
  int fd() const { return fd_.get(); }

  absl::StatusOr<Directory> Below(const std::string& name) const;
  // Makes what is missing on the way, each with `mode`.
  absl::StatusOr<Directory> MakeBelow(const std::string& name, std::uint32_t mode) const;

  absl::StatusOr<File> OpenFile(const std::string& name) const;
  // A new empty file; ALREADY_EXISTS when there is something of that name.
  absl::StatusOr<File> CreateFile(const std::string& name, std::uint32_t mode) const;
  // For reading and for writing at its end; made when absent.
  absl::StatusOr<File> OpenForAppend(const std::string& name, std::uint32_t mode) const;

  // The whole file. RESOURCE_EXHAUSTED when it is longer than `bytes_max`.
  absl::StatusOr<std::string> Read(const std::string& name, std::uint64_t bytes_max) const;
  // Readers see the old file or the new one, also after a loss of power; durable on return.
  absl::Status WriteAtomically(const std::string& name, std::string_view bytes,
                               const FileAccess& access) const;

  // Of the thing itself, not of what a symbolic link names.
  absl::StatusOr<FileInfo> Stat(const std::string& name) const;
  absl::StatusOr<bool> Exists(const std::string& name) const;
  // Names of all entries but "." and "..", sorted.
  absl::StatusOr<std::vector<std::string>> List() const;

  absl::Status Rename(const std::string& from, const std::string& to) const;
  // A second name, in `target`, for the file `name` of this directory.
  absl::Status Link(const std::string& name, const Directory& target,
                    const std::string& target_name) const;
  absl::StatusOr<std::string> ReadLink(const std::string& name) const;
  // Makes the symbolic link `name`, or turns it, atomically and durably. Replaces a symbolic link
  // only: anything else of that name is FAILED_PRECONDITION.
  absl::Status PointLink(const std::string& name, const std::string& target) const;

  // Absent is fine for both. A file or symbolic link; durable after Sync.
  absl::Status RemoveFile(const std::string& name) const;
  absl::Status RemoveTree(const std::string& name) const;

  absl::Status SetMode(std::uint32_t mode) const;
  // The entries of this directory survive a loss of power.
  absl::Status Sync() const;
  // Everything on this directory's file system does: one call for a whole tree.
  absl::Status SyncFileSystem() const;
  // Bytes that this process may still write here.
  absl::StatusOr<std::uint64_t> FreeBytes() const;

 private:
  struct Place;  // parent and last part of a name
  Directory(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  std::string Full(const std::string& name) const;
  absl::StatusOr<UniqueFd> OpenBelow(const std::string& name, int flags, std::uint32_t mode,
                                     std::string_view doing) const;
  absl::StatusOr<Place> Locate(const std::string& name) const;

  UniqueFd fd_;
  std::string path_;
};

}  // namespace slipway
