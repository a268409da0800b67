#include "agent/database/secret.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/fs/directory.h"
#include "common/fs/unique_fd.h"
#include "common/status_macros.h"

namespace slipway::agent {
namespace {

constexpr std::size_t kSecretMax = 64 << 10;  // bytes

}  // namespace

absl::StatusOr<std::string> ReadSecret(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd.valid()) return SystemError(errno, "read the secret", path);
  struct stat st = {};
  if (::fstat(fd.get(), &st) != 0) return SystemError(errno, "look at the secret", path);
  if (!S_ISREG(st.st_mode)) {
    return absl::PermissionDeniedError(absl::StrCat("secret ", path, " is no plain file"));
  }
  if (st.st_uid != ::geteuid() || (st.st_mode & 077) != 0) {
    return absl::PermissionDeniedError(
        absl::StrCat("secret ", path,
                     " can be read by others; give it to the agent's user and "
                     "mode 0600"));
  }
  std::string text(kSecretMax, '\0');
  const ssize_t got = ::read(fd.get(), text.data(), text.size());
  if (got < 0) return SystemError(errno, "read the secret", path);
  text.resize(static_cast<std::size_t>(got));
  text = text.substr(0, text.find('\n'));
  if (text.empty()) {
    return absl::FailedPreconditionError(absl::StrCat("secret ", path, " is empty"));
  }
  return text;
}

absl::StatusOr<TmpfsFile> TmpfsFile::Write(const std::string& folder, const std::string& name,
                                           const std::string& content) {
  SLIPWAY_ASSIGN_OR_RETURN(const Directory dir, Directory::OpenOrMake(folder, 0700));
  struct statfs fs = {};
  if (::fstatfs(dir.fd(), &fs) != 0) return SystemError(errno, "look at", folder);
  if (fs.f_type != TMPFS_MAGIC && fs.f_type != RAMFS_MAGIC) {
    return absl::FailedPreconditionError(
        absl::StrCat(folder, " is not on tmpfs, and a password is written nowhere else"));
  }
  struct stat st = {};
  if (::fstat(dir.fd(), &st) != 0) return SystemError(errno, "look at", folder);
  // Where everybody may make folders, somebody may have made ours.
  if (st.st_uid != ::geteuid() || (st.st_mode & 077) != 0) {
    return absl::PermissionDeniedError(
        absl::StrCat(folder, " belongs to somebody else, or others may look into it; remove it"));
  }
  SLIPWAY_RETURN_IF_ERROR(dir.WriteAtomically(name, content, {.mode = 0400}));
  return TmpfsFile(absl::StrCat(folder, "/", name));
}

void TmpfsFile::Remove() const {
  ::unlink(path_.c_str());
}

}  // namespace slipway::agent
