#include "agent/services/exec_spec.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <string_view>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace slipway::agent {
namespace {

constexpr off_t kExitReserveBytes = 4096;

absl::Status Errno(std::string_view what, const std::string& path) {
  return absl::ErrnoToStatus(errno, absl::StrCat(std::string(what), " ", path));
}

class Encoder {
 public:
  void Add(absl::string_view key, absl::string_view value) {
    absl::StrAppend(&text_, key, "=", value);
    text_ += '\0';
  }
  void Add(absl::string_view key, std::int64_t value) { Add(key, absl::StrCat(value)); }
  void Add(absl::string_view key, absl::Duration value) {
    Add(key, absl::ToInt64Milliseconds(value));
  }
  void Add(absl::string_view key, absl::Time value) { Add(key, absl::ToUnixMillis(value)); }
  void Add(absl::string_view prefix, const ProcessIdentity& process) {
    Add(absl::StrCat(prefix, ".pid"), process.pid);
    Add(absl::StrCat(prefix, ".start"), static_cast<std::int64_t>(process.start_ticks));
    Add(absl::StrCat(prefix, ".boot"), process.boot_id);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

using Entry = std::function<bool(std::string_view key, const std::string& value)>;

bool SetNumber(const std::string& text, std::int64_t& into) {
  return absl::SimpleAtoi(text, &into);
}

template <class Integer>
bool Set(const std::string& text, Integer& into) {
  std::int64_t value = 0;
  if (!SetNumber(text, value)) return false;
  into = static_cast<Integer>(value);
  return true;
}
bool Set(const std::string& text, absl::Duration& into) {
  std::int64_t ms = 0;
  if (!SetNumber(text, ms)) return false;
  into = absl::Milliseconds(ms);
  return true;
}
bool Set(const std::string& text, absl::Time& into) {
  std::int64_t ms = 0;
  if (!SetNumber(text, ms)) return false;
  into = absl::FromUnixMillis(ms);
  return true;
}
bool Set(const std::string& text, std::string& into) {
  into = text;
  return true;
}

bool SetIdentity(std::string_view field, const std::string& value, ProcessIdentity& into) {
  if (field == "pid") return Set(value, into.pid);
  if (field == "start") return Set(value, into.start_ticks);
  if (field == "boot") return Set(value, into.boot_id);
  return false;
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

absl::Status Decode(const std::string& path, const Entry& entry) {
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

absl::Status SyncFolder(const std::string& dir) {
  const int fd = open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return Errno("cannot open", dir);
  const bool synced = fsync(fd) == 0;
  const absl::Status status = synced ? absl::OkStatus() : Errno("cannot sync", dir);
  close(fd);
  return status;
}

absl::Status WriteAndSync(int fd, const std::string& path, const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t n = pwrite(fd, text.data() + done, text.size() - done, static_cast<off_t>(done));
    if (n < 0 && errno != EINTR) return Errno("cannot write", path);
    if (n > 0) done += static_cast<std::size_t>(n);
  }
  if (ftruncate(fd, static_cast<off_t>(text.size())) != 0) return Errno("cannot cut", path);
  if (fsync(fd) != 0) return Errno("cannot sync", path);
  return absl::OkStatus();
}

absl::Status WriteDurably(const std::string& dir, const std::string& name,
                          const std::string& text) {
  const std::string path = dir + "/" + name, fresh = path + ".new";
  // Not truncated: the space that ReserveExit took is used.
  const int fd = open(fresh.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return Errno("cannot create", fresh);
  const absl::Status written = WriteAndSync(fd, fresh, text);
  close(fd);
  SLIPWAY_RETURN_IF_ERROR(written);
  if (rename(fresh.c_str(), path.c_str()) != 0) return Errno("cannot rename", fresh);
  return SyncFolder(dir);
}

}  // namespace

std::string SignalName(int signal) {
  const char* name = sigabbrev_np(signal);
  return name == nullptr ? absl::StrCat("signal ", signal) : absl::StrCat("SIG", name);
}

std::string Describe(const ExecExit& exit) {
  if (!exit.refused.empty()) return absl::StrCat("could not be started: ", exit.refused);
  std::string text = exit.signal == 0 ? absl::StrCat("exited with status ", exit.code)
                                      : absl::StrCat("was ended by ", SignalName(exit.signal));
  if (exit.timed_out) text += " after its time was up";
  if (exit.leftovers > 0) absl::StrAppend(&text, " and left ", exit.leftovers, " processes behind");
  return text;
}

absl::Status WriteSpec(const std::string& dir, const ExecSpec& spec) {
  Encoder out;
  for (const std::string& arg : spec.argv) out.Add("arg", arg);
  for (const std::string& variable : spec.env) out.Add("env", variable);
  out.Add("cwd", spec.cwd);
  out.Add("user", spec.user);
  out.Add("exclusive", spec.exclusive);
  out.Add("log", spec.log);
  out.Add("log_bytes_max", static_cast<std::int64_t>(spec.log_bytes_max));
  out.Add("log_keep", spec.log_keep);
  out.Add("deadline", spec.deadline);
  out.Add("grace", spec.grace);
  return WriteDurably(dir, "spec", out.text());
}

absl::StatusOr<ExecSpec> ReadSpec(const std::string& dir) {
  ExecSpec spec;
  SLIPWAY_RETURN_IF_ERROR(Decode(dir + "/spec", [&](std::string_view key, const std::string& v) {
    if (key == "arg") return spec.argv.push_back(v), true;
    if (key == "env") return spec.env.push_back(v), true;
    if (key == "cwd") return Set(v, spec.cwd);
    if (key == "user") return Set(v, spec.user);
    if (key == "exclusive") return Set(v, spec.exclusive);
    if (key == "log") return Set(v, spec.log);
    if (key == "log_bytes_max") return Set(v, spec.log_bytes_max);
    if (key == "log_keep") return Set(v, spec.log_keep);
    if (key == "deadline") return Set(v, spec.deadline);
    if (key == "grace") return Set(v, spec.grace);
    return false;
  }));
  if (spec.argv.empty()) return absl::DataLossError(absl::StrCat(dir, "/spec names no program"));
  return spec;
}

absl::Status WriteRunning(const std::string& dir, const ExecRunning& running) {
  Encoder out;
  out.Add("shim", running.shim);
  out.Add("child", running.child);
  out.Add("since", running.since);
  return WriteDurably(dir, "running", out.text());
}

absl::StatusOr<ExecRunning> ReadRunning(const std::string& dir) {
  ExecRunning running;
  SLIPWAY_RETURN_IF_ERROR(Decode(dir + "/running", [&](std::string_view key, const std::string& v) {
    if (key == "since") return Set(v, running.since);
    if (key.substr(0, 5) == "shim.") return SetIdentity(key.substr(5), v, running.shim);
    if (key.substr(0, 6) == "child.") return SetIdentity(key.substr(6), v, running.child);
    return false;
  }));
  return running;
}

absl::Status ReserveExit(const std::string& dir) {
  const std::string path = dir + "/exit.new";
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return Errno("cannot create", path);
  const int error = posix_fallocate(fd, 0, kExitReserveBytes);
  close(fd);
  return error == 0 ? absl::OkStatus()
                    : absl::ErrnoToStatus(error, absl::StrCat("cannot reserve ", path));
}

absl::Status WriteExit(const std::string& dir, const ExecExit& exit) {
  Encoder out;
  out.Add("refused", exit.refused);
  out.Add("code", exit.code);
  out.Add("signal", exit.signal);
  out.Add("timed_out", exit.timed_out ? 1 : 0);
  out.Add("leftovers", exit.leftovers);
  out.Add("at", exit.at);
  return WriteDurably(dir, "exit", out.text());
}

absl::StatusOr<ExecExit> ReadExit(const std::string& dir) {
  ExecExit exit;
  SLIPWAY_RETURN_IF_ERROR(Decode(dir + "/exit", [&](std::string_view key, const std::string& v) {
    if (key == "refused") return Set(v, exit.refused);
    if (key == "code") return Set(v, exit.code);
    if (key == "signal") return Set(v, exit.signal);
    if (key == "timed_out") return Set(v, exit.timed_out);
    if (key == "leftovers") return Set(v, exit.leftovers);
    if (key == "at") return Set(v, exit.at);
    return false;
  }));
  return exit;
}

}  // namespace slipway::agent
