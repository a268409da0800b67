#include "common/tls/pem_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace slipway::tls {
namespace {

constexpr std::size_t kFileBytesMax = 1 << 20;

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  int get() const { return fd_; }

 private:
  const int fd_;
};

absl::Status Failed(const char* what, const std::string& path) {
  return absl::ErrnoToStatus(errno, absl::StrCat(what, " ", path));
}

absl::Status WriteAll(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Failed("cannot write", path);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadOpen(const Fd& fd, const std::string& path) {
  std::string bytes;
  char buffer[8192];
  for (;;) {
    const ssize_t got = ::read(fd.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Failed("cannot read", path);
    if (got == 0) return bytes;
    bytes.append(buffer, static_cast<std::size_t>(got));
    if (bytes.size() > kFileBytesMax) {
      return absl::ResourceExhaustedError(absl::StrCat(path, " is larger than 1 MiB"));
    }
  }
}

std::string FolderOf(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

absl::Status WriteTemporary(const std::string& temporary, std::string_view bytes, mode_t mode) {
  const Fd fd(
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
  if (fd.get() < 0) return Failed("cannot create", temporary);
  // open() takes the umask into account; a public file shall be public under any.
  if (::fchmod(fd.get(), mode) != 0) return Failed("cannot set the mode of", temporary);
  SLIPWAY_RETURN_IF_ERROR(WriteAll(fd.get(), bytes, temporary));
  if (::fsync(fd.get()) != 0) return Failed("cannot sync", temporary);
  return absl::OkStatus();
}

}  // namespace

absl::Status WriteFile(const std::string& path, std::string_view bytes, mode_t mode) {
  const std::string temporary = absl::StrCat(path, ".new.", ::getpid());
  ::unlink(temporary.c_str());
  absl::Status status = WriteTemporary(temporary, bytes, mode);
  if (status.ok() && ::rename(temporary.c_str(), path.c_str()) != 0) {
    status = Failed("cannot replace", path);
  }
  if (!status.ok()) {
    ::unlink(temporary.c_str());
    return status;
  }
  const Fd folder(::open(FolderOf(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0 || ::fsync(folder.get()) != 0)
    return Failed("cannot sync the folder of", path);
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return Failed("cannot open", path);
  return ReadOpen(fd, path);
}

absl::StatusOr<std::string> ReadPrivateFile(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return Failed("cannot open", path);
  struct stat info = {};
  if (::fstat(fd.get(), &info) != 0) return Failed("cannot examine", path);
  if ((info.st_mode & 077) != 0) {
    return absl::PermissionDeniedError(
        absl::StrCat(path, " can be read by others than its owner; run `chmod 600 ", path, "`"));
  }
  return ReadOpen(fd, path);
}

}  // namespace slipway::tls
