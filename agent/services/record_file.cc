#include "agent/services/record_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace slipway::agent {
namespace {

constexpr off_t kReserveBytes = 4096;

absl::Status Errno(std::string_view what, const std::string& path) {
  return absl::ErrnoToStatus(errno, absl::StrCat(std::string(what), " ", path));
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Errno("cannot open", path);
  std::string text;
  char buffer[4096];
  ssize_t n = 0;
  while ((n = read(fd, buffer, sizeof buffer)) > 0)
    text.append(buffer, static_cast<std::size_t>(n));
  const absl::Status status = n < 0 ? Errno("cannot read", path) : absl::OkStatus();
  close(fd);
  if (!status.ok()) return status;
  return text;
}

absl::Status WriteAll(int fd, const std::string& path, const std::string& text, Survives survives) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t n = pwrite(fd, text.data() + done, text.size() - done, static_cast<off_t>(done));
    if (n < 0 && errno != EINTR) return Errno("cannot write", path);
    if (n > 0) done += static_cast<std::size_t>(n);
  }
  if (ftruncate(fd, static_cast<off_t>(text.size())) != 0) return Errno("cannot cut", path);
  if (survives == Survives::power_cut && fsync(fd) != 0) return Errno("cannot sync", path);
  return absl::OkStatus();
}

}  // namespace

void RecordWriter::Add(absl::string_view key, absl::string_view value) {
  absl::StrAppend(&text_, key, "=", value);
  text_ += '\0';
}

void RecordWriter::Add(absl::string_view key, std::int64_t value) {
  Add(key, absl::StrCat(value));
}

void RecordWriter::Add(absl::string_view key, absl::Duration value) {
  Add(key, absl::ToInt64Milliseconds(value));
}

void RecordWriter::Add(absl::string_view key, absl::Time value) {
  Add(key, absl::ToUnixMillis(value));
}

void RecordWriter::Add(absl::string_view key, const ProcessIdentity& process) {
  Add(absl::StrCat(key, ".pid"), static_cast<std::int64_t>(process.pid));
  Add(absl::StrCat(key, ".start"), static_cast<std::int64_t>(process.start_ticks));
  Add(absl::StrCat(key, ".boot"), process.boot_id);
}

bool SetField(const std::string& text, std::string& into) {
  into = text;
  return true;
}

bool SetField(const std::string& text, std::int64_t& into) {
  return absl::SimpleAtoi(text, &into);
}

bool SetField(const std::string& text, absl::Duration& into) {
  std::int64_t ms = 0;
  if (!SetField(text, ms)) return false;
  into = absl::Milliseconds(ms);
  return true;
}

bool SetField(const std::string& text, absl::Time& into) {
  std::int64_t ms = 0;
  if (!SetField(text, ms)) return false;
  into = absl::FromUnixMillis(ms);
  return true;
}

bool SetField(std::string_view field, const std::string& text, ProcessIdentity& into) {
  if (field == "pid") return SetField(text, into.pid);
  if (field == "start") return SetField(text, into.start_ticks);
  if (field == "boot") return SetField(text, into.boot_id);
  return false;
}

absl::Status ReadRecord(
    const std::string& path,
    const std::function<bool(std::string_view key, const std::string& value)>& entry) {
  SLIPWAY_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = text.find('\0', begin);
    const std::size_t equals = text.find('=', begin);
    if (end == std::string::npos || equals > end ||
        !entry(std::string_view(text).substr(begin, equals - begin),
               text.substr(equals + 1, end - equals - 1))) {
      return absl::DataLossError(absl::StrCat(path, " has no meaning at byte ", begin));
    }
    begin = end + 1;
  }
  return absl::OkStatus();
}

absl::Status MakeFolder(const std::string& path) {
  if (mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return absl::OkStatus();
  return Errno("cannot create", path);
}

absl::Status SyncFolder(const std::string& dir) {
  const int fd = open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return Errno("cannot open", dir);
  const bool synced = fsync(fd) == 0;
  const absl::Status status = synced ? absl::OkStatus() : Errno("cannot sync", dir);
  close(fd);
  return status;
}

absl::Status WriteRecord(const std::string& dir, const std::string& name, const std::string& text,
                         Survives survives) {
  const std::string path = dir + "/" + name, fresh = path + ".new";
  // Not truncated: the space that ReserveRecord took is used.
  const int fd = open(fresh.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return Errno("cannot create", fresh);
  const absl::Status written = WriteAll(fd, fresh, text, survives);
  close(fd);
  SLIPWAY_RETURN_IF_ERROR(written);
  if (rename(fresh.c_str(), path.c_str()) != 0) return Errno("cannot rename", fresh);
  return survives == Survives::power_cut ? SyncFolder(dir) : absl::OkStatus();
}

absl::Status ReserveRecord(const std::string& dir, const std::string& name) {
  const std::string path = dir + "/" + name + ".new";
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return Errno("cannot create", path);
  const int error = posix_fallocate(fd, 0, kReserveBytes);
  close(fd);
  return error == 0 ? absl::OkStatus()
                    : absl::ErrnoToStatus(error, absl::StrCat("cannot reserve ", path));
}

}  // namespace slipway::agent
