#include "common/fs/directory.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/fs/directory_place.h"
#include "common/status_macros.h"

namespace slipway {
namespace {

// A rename elsewhere in the tree makes openat2 ask for another try.
constexpr int kOpenTriesMax = 64;

int OpenAt2(int root, const std::string& name, int flags, std::uint32_t mode) {
  open_how how = {};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.mode = (flags & O_CREAT) != 0 ? mode : 0;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  for (int i = 0; i < kOpenTriesMax; ++i) {
    const long fd = ::syscall(SYS_openat2, root, name.c_str(), &how, sizeof how);
    if (fd >= 0) return static_cast<int>(fd);
    if (errno != EAGAIN && errno != EINTR) return -1;
  }
  return -1;
}

bool IsPlain(const std::string& name) {
  if (name.empty() || name.find('\0') != std::string::npos) return false;
  for (const absl::string_view part : absl::StrSplit(name, '/')) {
    if (part.empty() || part == "." || part == "..") return false;
  }
  return true;
}

absl::Status NotPlain(const std::string& full) {
  return absl::InvalidArgumentError(
      absl::StrCat("\"", full, "\" is not a plain path below its root (empty, \".\" or \"..\")"));
}

}  // namespace

std::string Directory::Full(const std::string& name) const {
  return absl::StrCat(path_, path_ == "/" ? "" : "/", name);
}

absl::StatusOr<Directory> Directory::Open(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return SystemError(errno, "open", path);
  return Directory(std::move(fd), path);
}

absl::StatusOr<Directory> Directory::OpenOrMake(const std::string& path, std::uint32_t mode) {
  for (std::size_t end = path.find('/', 1); end != std::string::npos;
       end = path.find('/', end + 1)) {
    const std::string parent = path.substr(0, end);
    if (::mkdir(parent.c_str(), 0755) != 0 && errno != EEXIST) {
      return SystemError(errno, "make", parent);
    }
  }
  if (::mkdir(path.c_str(), mode) == 0) {
    if (::chmod(path.c_str(), mode) != 0) return SystemError(errno, "set the mode of", path);
  } else if (errno != EEXIST) {
    return SystemError(errno, "make", path);
  }
  return Open(path);
}

absl::StatusOr<UniqueFd> Directory::OpenBelow(const std::string& name, int flags,
                                              std::uint32_t mode, std::string_view doing) const {
  if (!IsPlain(name)) return NotPlain(Full(name));
  UniqueFd fd(OpenAt2(fd_.get(), name, flags, mode));
  if (!fd.valid()) return SystemError(errno, doing, Full(name));
  return fd;
}

absl::StatusOr<Directory::Place> Directory::Locate(const std::string& name) const {
  if (!IsPlain(name)) return NotPlain(Full(name));
  Place place;
  place.parent = fd_.get();
  place.leaf = name;
  const std::size_t slash = name.rfind('/');
  if (slash == std::string::npos) return place;
  SLIPWAY_ASSIGN_OR_RETURN(place.opened,
                           OpenBelow(name.substr(0, slash), O_RDONLY | O_DIRECTORY, 0, "open"));
  place.parent = place.opened.get();
  place.leaf = name.substr(slash + 1);
  return place;
}

absl::StatusOr<Directory> Directory::Below(const std::string& name) const {
  SLIPWAY_ASSIGN_OR_RETURN(UniqueFd fd, OpenBelow(name, O_RDONLY | O_DIRECTORY, 0, "open"));
  return Directory(std::move(fd), Full(name));
}

absl::StatusOr<Directory> Directory::MakeBelow(const std::string& name, std::uint32_t mode) const {
  if (!IsPlain(name)) return NotPlain(Full(name));
  for (std::size_t end = name.find('/');; end = name.find('/', end + 1)) {
    const std::string part = name.substr(0, end);
    SLIPWAY_ASSIGN_OR_RETURN(const Place place, Locate(part));
    if (::mkdirat(place.parent, place.leaf.c_str(), mode) == 0) {
      if (::fchmodat(place.parent, place.leaf.c_str(), mode, 0) != 0) {
        return SystemError(errno, "set the mode of", Full(part));
      }
    } else if (errno != EEXIST) {
      return SystemError(errno, "make", Full(part));
    }
    if (end == std::string::npos) return Below(name);
  }
}

absl::StatusOr<File> Directory::OpenFile(const std::string& name) const {
  // O_NONBLOCK: a fifo of that name must not hang us. It has no effect on regular files.
  SLIPWAY_ASSIGN_OR_RETURN(UniqueFd fd, OpenBelow(name, O_RDONLY | O_NONBLOCK, 0, "open"));
  File file(std::move(fd), Full(name));
  SLIPWAY_ASSIGN_OR_RETURN(const FileInfo info, file.Info());
  if (info.kind != FileKind::regular) {
    return absl::FailedPreconditionError(absl::StrCat(Full(name), " is not a regular file"));
  }
  return file;
}

absl::StatusOr<File> Directory::CreateFile(const std::string& name, std::uint32_t mode) const {
  SLIPWAY_ASSIGN_OR_RETURN(UniqueFd fd,
                           OpenBelow(name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode, "create"));
  File file(std::move(fd), Full(name));
  SLIPWAY_RETURN_IF_ERROR(file.SetMode(mode));  // whatever the umask says
  return file;
}

absl::StatusOr<File> Directory::OpenForAppend(const std::string& name, std::uint32_t mode) const {
  SLIPWAY_ASSIGN_OR_RETURN(
      UniqueFd fd,
      OpenBelow(name, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK, mode, "open"));
  return File(std::move(fd), Full(name));
}

absl::StatusOr<std::string> Directory::Read(const std::string& name,
                                            std::uint64_t bytes_max) const {
  SLIPWAY_ASSIGN_OR_RETURN(const File file, OpenFile(name));
  SLIPWAY_ASSIGN_OR_RETURN(const FileInfo info, file.Info());
  if (info.size > bytes_max) {
    return absl::ResourceExhaustedError(
        absl::StrCat(Full(name), " has ", info.size, " bytes, at most ", bytes_max, " are read"));
  }
  return file.ReadAt(0, static_cast<std::size_t>(info.size));
}

absl::Status Directory::WriteAtomically(const std::string& name, std::string_view bytes,
                                        const FileAccess& access) const {
  SLIPWAY_ASSIGN_OR_RETURN(const Place place, Locate(name));
  // A fixed name: what a crash leaves behind is overwritten by the next try.
  const std::string temporary = absl::StrCat(".", place.leaf, ".slipway-new");
  if (::unlinkat(place.parent, temporary.c_str(), 0) != 0 && errno != ENOENT) {
    return SystemError(errno, "remove", Full(name));
  }
  UniqueFd fd(OpenAt2(place.parent, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  if (!fd.valid()) return SystemError(errno, "create", Full(name));
  File file(std::move(fd), Full(name));
  const auto write = [&]() -> absl::Status {
    SLIPWAY_RETURN_IF_ERROR(file.Append(bytes));
    if (access.owner || access.group) {
      SLIPWAY_RETURN_IF_ERROR(file.SetOwner(access.owner.value_or(-1), access.group.value_or(-1)));
    }
    SLIPWAY_RETURN_IF_ERROR(file.SetMode(access.mode));
    SLIPWAY_RETURN_IF_ERROR(file.Sync());
    if (::renameat(place.parent, temporary.c_str(), place.parent, place.leaf.c_str()) != 0) {
      return SystemError(errno, "replace", Full(name));
    }
    if (::fsync(place.parent) != 0) return SystemError(errno, "sync the folder of", Full(name));
    return absl::OkStatus();
  };
  absl::Status written = write();
  if (!written.ok()) ::unlinkat(place.parent, temporary.c_str(), 0);
  return written;
}

}  // namespace slipway
