#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/state/log_file.h"
#include "common/status_macros.h"

namespace slipway::agent {
namespace {

absl::Status Failed(const char* what, const std::string& path, int error) {
  const std::string text = absl::StrCat("cannot ", what, " ", path, ": ", std::strerror(error));
  if (error == ENOSPC || error == EDQUOT) return absl::ResourceExhaustedError(text);
  return absl::InternalError(text);
}

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_ = -1;
};

absl::StatusOr<Descriptor> OpenFile(const std::string& path, int flags) {
  Descriptor file(::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (file.get() < 0) return Failed("open", path, errno);
  return file;
}

absl::Status WriteAll(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Failed("write", path, errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return absl::OkStatus();
}

// The kernel drops the pages that it could not write, so a second try would lie.
absl::Status SyncOnce(int fd, const std::string& path) {
  if (::fsync(fd) == 0) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("cannot sync ", path, ": ", std::strerror(errno)));
}

absl::Status SyncFolderOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  SLIPWAY_ASSIGN_OR_RETURN(const Descriptor fd, OpenFile(folder, O_RDONLY | O_DIRECTORY));
  return SyncOnce(fd.get(), folder);
}

class PosixLogFile final : public LogFile {
 public:
  PosixLogFile(std::string path, Descriptor lock, Descriptor file)
      : path_(std::move(path)), lock_(std::move(lock)), file_(std::move(file)) {}

  absl::StatusOr<std::string> Read() override {
    struct stat stat = {};
    if (::fstat(file_.get(), &stat) != 0) return Failed("read", path_, errno);
    std::string bytes(static_cast<std::size_t>(stat.st_size), '\0');
    std::size_t done = 0;
    while (done < bytes.size()) {
      const ssize_t n =
          ::pread(file_.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return Failed("read", path_, errno);
      if (n == 0) return Failed("read", path_, EIO);
      done += static_cast<std::size_t>(n);
    }
    return bytes;
  }

  absl::Status Append(std::string_view bytes) override {
    return WriteAll(file_.get(), bytes, path_);
  }

  absl::Status Sync() override { return SyncOnce(file_.get(), path_); }

  absl::Status Truncate(std::uint64_t size) override {
    if (::ftruncate(file_.get(), static_cast<off_t>(size)) == 0) return absl::OkStatus();
    return Failed("truncate", path_, errno);
  }

  absl::Status Replace(std::string_view bytes) override {
    const std::string fresh = path_ + ".new";
    auto file = OpenFile(fresh, O_RDWR | O_CREAT | O_TRUNC | O_APPEND);
    if (!file.ok()) return file.status();
    absl::Status written = WriteAll(file->get(), bytes, fresh);
    if (written.ok()) written = SyncOnce(file->get(), fresh);
    if (!written.ok()) {
      ::unlink(fresh.c_str());
      return written;
    }
    if (::rename(fresh.c_str(), path_.c_str()) != 0) return Failed("replace", path_, errno);
    file_ = *std::move(file);
    return SyncFolderOf(path_);
  }

  absl::Status ReleaseReserve() override {
    if (::unlink(Reserve().c_str()) == 0 || errno == ENOENT) return absl::OkStatus();
    return Failed("release", Reserve(), errno);
  }

  absl::Status RefillReserve() override {
    SLIPWAY_ASSIGN_OR_RETURN(const Descriptor reserve, OpenFile(Reserve(), O_RDWR | O_CREAT));
    const int error = ::posix_fallocate(reserve.get(), 0, static_cast<off_t>(kReserveBytes));
    if (error == 0) return absl::OkStatus();
    ::unlink(Reserve().c_str());  // a part of it would only be in the way
    return Failed("set aside", Reserve(), error);
  }

 private:
  std::string Reserve() const { return path_ + ".reserve"; }

  const std::string path_;
  const Descriptor lock_;
  Descriptor file_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<LogFile>> OpenLogFile(const std::string& path) {
  SLIPWAY_ASSIGN_OR_RETURN(Descriptor lock, OpenFile(path + ".lock", O_RDWR | O_CREAT));
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, " is used by another agent on this host; stop that one first"));
  }
  SLIPWAY_ASSIGN_OR_RETURN(Descriptor file, OpenFile(path, O_RDWR | O_CREAT | O_APPEND));
  SLIPWAY_RETURN_IF_ERROR(SyncFolderOf(path));
  return std::make_unique<PosixLogFile>(path, std::move(lock), std::move(file));
}

}  // namespace slipway::agent
