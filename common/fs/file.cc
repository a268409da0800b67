#include "common/fs/file.h"

#include <sys/stat.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "common/fs/stat.h"

namespace slipway {

absl::Status SystemError(int error_number, std::string_view doing, const std::string& path) {
  const std::string text = absl::StrCat("cannot ", std::string(doing), " ", path);
  // The two ways in which openat2 refuses to leave the root.
  if (error_number == ELOOP) {
    return absl::PermissionDeniedError(absl::StrCat(text, ": a symbolic link stands in the way"));
  }
  if (error_number == EXDEV) {
    return absl::PermissionDeniedError(absl::StrCat(text,
                                                    ": it leads to another file system or "
                                                    "out of its root"));
  }
  return absl::ErrnoToStatus(error_number, text);
}

absl::Status File::Append(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd_.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError(errno, "write", path_);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> File::ReadAt(std::uint64_t offset, std::size_t bytes_max) const {
  std::string out(bytes_max, '\0');
  std::size_t got = 0;
  while (got < bytes_max) {
    const ssize_t n =
        ::pread(fd_.get(), out.data() + got, bytes_max - got, static_cast<off_t>(offset + got));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return SystemError(errno, "read", path_);
    if (n == 0) break;
    got += static_cast<std::size_t>(n);
  }
  out.resize(got);
  return out;
}

absl::StatusOr<FileInfo> File::Info() const {
  struct stat st = {};
  if (::fstat(fd_.get(), &st) != 0) return SystemError(errno, "examine", path_);
  return ToFileInfo(st);
}

absl::Status File::SetMode(std::uint32_t mode) {
  if (::fchmod(fd_.get(), mode) != 0) return SystemError(errno, "set the mode of", path_);
  return absl::OkStatus();
}

absl::Status File::SetOwner(std::uint32_t owner, std::uint32_t group) {
  if (::fchown(fd_.get(), owner, group) != 0) return SystemError(errno, "set the owner of", path_);
  return absl::OkStatus();
}

absl::Status File::Truncate(std::uint64_t size) {
  if (::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0) {
    return SystemError(errno, "truncate", path_);
  }
  return absl::OkStatus();
}

absl::Status File::Sync() {
  if (::fsync(fd_.get()) != 0) return SystemError(errno, "sync", path_);
  return absl::OkStatus();
}

}  // namespace slipway
