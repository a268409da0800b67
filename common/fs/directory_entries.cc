// The half of Directory that is about names: listing, renaming, linking, removing.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "absl/strings/str_cat.h"
#include "common/fs/directory.h"
#include "common/fs/directory_place.h"
#include "common/fs/stat.h"
#include "common/status_macros.h"

namespace slipway {
namespace {

struct CloseStream {
  void operator()(DIR* stream) const { ::closedir(stream); }
};

absl::StatusOr<std::vector<std::string>> Entries(int fd, const std::string& path) {
  // A stream owns its descriptor and its position: it gets one of its own.
  UniqueFd own(::openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!own.valid()) return SystemError(errno, "list", path);
  const std::unique_ptr<DIR, CloseStream> stream(::fdopendir(own.get()));
  if (stream == nullptr) return SystemError(errno, "list", path);
  own.Take();
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(stream.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
    errno = 0;
  }
  if (errno != 0) return SystemError(errno, "list", path);
  std::sort(names.begin(), names.end());
  return names;
}

// Removes the entry `leaf` of `parent` with all that is below it, following no link.
absl::Status RemoveEntry(int parent, const std::string& leaf, const std::string& path) {
  if (::unlinkat(parent, leaf.c_str(), 0) == 0 || errno == ENOENT) return absl::OkStatus();
  if (errno != EISDIR && errno != EPERM) return SystemError(errno, "remove", path);
  const UniqueFd fd(
      ::openat(parent, leaf.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.valid()) return SystemError(errno, "remove", path);
  // Releases are read-only; only root may empty them as they are.
  if (::fchmod(fd.get(), 0700) != 0) return SystemError(errno, "remove", path);
  SLIPWAY_ASSIGN_OR_RETURN(const std::vector<std::string> names, Entries(fd.get(), path));
  for (const std::string& name : names) {
    SLIPWAY_RETURN_IF_ERROR(RemoveEntry(fd.get(), name, absl::StrCat(path, "/", name)));
  }
  if (::unlinkat(parent, leaf.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) {
    return SystemError(errno, "remove", path);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<std::string>> Directory::List() const {
  return Entries(fd_.get(), path_);
}

absl::StatusOr<FileInfo> Directory::Stat(const std::string& name) const {
  SLIPWAY_ASSIGN_OR_RETURN(const Place place, Locate(name));
  struct stat st = {};
  if (::fstatat(place.parent, place.leaf.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) {
    return SystemError(errno, "examine", Full(name));
  }
  return ToFileInfo(st);
}

absl::StatusOr<bool> Directory::Exists(const std::string& name) const {
  const auto info = Stat(name);
  if (absl::IsNotFound(info.status())) return false;
  if (!info.ok()) return info.status();
  return true;
}

absl::Status Directory::Rename(const std::string& from, const std::string& to) const {
  SLIPWAY_ASSIGN_OR_RETURN(const Place source, Locate(from));
  SLIPWAY_ASSIGN_OR_RETURN(const Place target, Locate(to));
  if (::renameat(source.parent, source.leaf.c_str(), target.parent, target.leaf.c_str()) != 0) {
    return SystemError(errno, "rename " + Full(from) + " to", Full(to));
  }
  return absl::OkStatus();
}

absl::Status Directory::Link(const std::string& name, const Directory& target,
                             const std::string& target_name) const {
  SLIPWAY_ASSIGN_OR_RETURN(const Place from, Locate(name));
  SLIPWAY_ASSIGN_OR_RETURN(const Place to, target.Locate(target_name));
  if (::linkat(from.parent, from.leaf.c_str(), to.parent, to.leaf.c_str(), 0) != 0) {
    return SystemError(errno, "link " + Full(name) + " to", target.Full(target_name));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> Directory::ReadLink(const std::string& name) const {
  SLIPWAY_ASSIGN_OR_RETURN(const Place place, Locate(name));
  char target[4096];
  const ssize_t length = ::readlinkat(place.parent, place.leaf.c_str(), target, sizeof target);
  if (length < 0) return SystemError(errno, "read the link", Full(name));
  return std::string(target, static_cast<std::size_t>(length));
}

absl::Status Directory::PointLink(const std::string& name, const std::string& target) const {
  const auto there = Stat(name);
  if (there.ok() && there->kind != FileKind::symlink) {
    return absl::FailedPreconditionError(
        absl::StrCat(Full(name), " is not a symbolic link and is not replaced"));
  }
  if (!there.ok() && !absl::IsNotFound(there.status())) return there.status();
  SLIPWAY_ASSIGN_OR_RETURN(const Place place, Locate(name));
  const std::string temporary = absl::StrCat(".", place.leaf, ".slipway-new");
  if (::unlinkat(place.parent, temporary.c_str(), 0) != 0 && errno != ENOENT) {
    return SystemError(errno, "remove", Full(name));
  }
  if (::symlinkat(target.c_str(), place.parent, temporary.c_str()) != 0) {
    return SystemError(errno, "make the link", Full(name));
  }
  if (::renameat(place.parent, temporary.c_str(), place.parent, place.leaf.c_str()) != 0) {
    const absl::Status refused = SystemError(errno, "turn the link", Full(name));
    ::unlinkat(place.parent, temporary.c_str(), 0);
    return refused;
  }
  if (::fsync(place.parent) != 0) return SystemError(errno, "sync the folder of", Full(name));
  return absl::OkStatus();
}

absl::Status Directory::RemoveFile(const std::string& name) const {
  SLIPWAY_ASSIGN_OR_RETURN(const Place place, Locate(name));
  if (::unlinkat(place.parent, place.leaf.c_str(), 0) != 0 && errno != ENOENT) {
    return SystemError(errno, "remove", Full(name));
  }
  return absl::OkStatus();
}

absl::Status Directory::RemoveTree(const std::string& name) const {
  SLIPWAY_ASSIGN_OR_RETURN(const Place place, Locate(name));
  return RemoveEntry(place.parent, place.leaf, Full(name));
}

absl::Status Directory::SetMode(std::uint32_t mode) const {
  if (::fchmod(fd_.get(), mode) != 0) return SystemError(errno, "set the mode of", path_);
  return absl::OkStatus();
}

absl::Status Directory::Sync() const {
  if (::fsync(fd_.get()) != 0) return SystemError(errno, "sync", path_);
  return absl::OkStatus();
}

absl::Status Directory::SyncFileSystem() const {
  if (::syncfs(fd_.get()) != 0) return SystemError(errno, "sync the file system of", path_);
  return absl::OkStatus();
}

absl::StatusOr<std::uint64_t> Directory::FreeBytes() const {
  struct statvfs fs = {};
  if (::fstatvfs(fd_.get(), &fs) != 0) return SystemError(errno, "examine", path_);
  return static_cast<std::uint64_t>(fs.f_bavail) * fs.f_frsize;
}

}  // namespace slipway
