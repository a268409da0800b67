#include "common/process/proc.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <map>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace slipway {
namespace {

// Reads a file of /proc, whose size is never known beforehand. "" when it cannot be read.
std::string ReadAll(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return "";
  std::string text;
  char buffer[4096];
  for (ssize_t n = 0; (n = read(fd, buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(n));
  }
  close(fd);
  return text;
}

std::string ReadLink(const std::string& path) {
  char buffer[4096];
  const ssize_t n = readlink(path.c_str(), buffer, sizeof buffer);
  return n < 0 ? "" : std::string(buffer, static_cast<std::size_t>(n));
}

std::uint64_t ToNumber(absl::string_view text) {
  std::uint64_t value = 0;
  return absl::SimpleAtoi(text, &value) ? value : 0;
}

// Seconds since 1970 at which the machine came up.
std::int64_t BootSeconds() {
  const std::string stat = ReadAll("/proc/stat");
  for (const absl::string_view line : absl::StrSplit(stat, '\n')) {
    absl::string_view rest = line;
    if (absl::ConsumePrefix(&rest, "btime ")) return static_cast<std::int64_t>(ToNumber(rest));
  }
  return 0;
}

}  // namespace

std::string BootId() {
  return std::string(absl::StripSuffix(ReadAll("/proc/sys/kernel/random/boot_id"), "\n"));
}

std::optional<ProcessStat> ReadProcessStat(pid_t pid) {
  const std::string text = ReadAll(absl::StrCat("/proc/", pid, "/stat"));
  // The name in brackets may itself hold brackets and blanks: count from the last one.
  const std::size_t end_of_name = text.rfind(')');
  if (end_of_name == std::string::npos) return std::nullopt;
  const std::vector<absl::string_view> fields =
      absl::StrSplit(absl::string_view(text).substr(end_of_name + 1), ' ', absl::SkipEmpty());
  constexpr std::size_t kState = 0, kParent = 1, kSession = 3, kStart = 19, kRss = 21;
  if (fields.size() <= kRss) return std::nullopt;
  return ProcessStat{
      .pid = pid,
      .parent = static_cast<pid_t>(ToNumber(fields[kParent])),
      .session = static_cast<pid_t>(ToNumber(fields[kSession])),
      .state = fields[kState][0],
      .start_ticks = ToNumber(fields[kStart]),
      .rss_bytes = ToNumber(fields[kRss]) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE))};
}

std::optional<ProcessIdentity> IdentityOf(pid_t pid) {
  const auto stat = ReadProcessStat(pid);
  if (!stat) return std::nullopt;
  return ProcessIdentity{pid, stat->start_ticks, BootId()};
}

bool IsAlive(const ProcessIdentity& process) {
  if (process.pid <= 0) return false;
  const auto stat = ReadProcessStat(process.pid);
  return stat && stat->start_ticks == process.start_ticks && stat->state != 'Z' &&
         stat->state != 'X' && process.boot_id == BootId();
}

std::vector<ProcessStat> AllProcesses() {
  std::vector<ProcessStat> all;
  DIR* dir = opendir("/proc");
  if (dir == nullptr) return all;
  while (const dirent* entry = readdir(dir)) {
    pid_t pid = 0;
    if (!absl::SimpleAtoi(entry->d_name, &pid)) continue;
    if (auto stat = ReadProcessStat(pid)) all.push_back(*stat);
  }
  closedir(dir);
  return all;
}

std::vector<ProcessStat> Descendants(pid_t root) {
  std::multimap<pid_t, ProcessStat> children;
  for (const ProcessStat& stat : AllProcesses()) children.emplace(stat.parent, stat);
  std::vector<ProcessStat> found;
  std::vector<pid_t> parents = {root};
  while (!parents.empty()) {
    const pid_t parent = parents.back();
    parents.pop_back();
    const auto [begin, end] = children.equal_range(parent);
    for (auto it = begin; it != end; ++it) {
      parents.push_back(it->second.pid);
      if (it->second.state != 'Z' && it->second.state != 'X') found.push_back(it->second);
    }
  }
  return found;
}

std::vector<ProcessStat> ProcessesWithEnvironment(std::string_view name, std::string_view value) {
  std::vector<ProcessStat> found;
  for (const ProcessStat& stat : AllProcesses()) {
    if (stat.state != 'Z' && EnvironmentOf(stat.pid, name) == value) found.push_back(stat);
  }
  return found;
}

std::string ExecutableOf(pid_t pid) {
  return ReadLink(absl::StrCat("/proc/", pid, "/exe"));
}

std::string WorkingDirectoryOf(pid_t pid) {
  return ReadLink(absl::StrCat("/proc/", pid, "/cwd"));
}

std::optional<std::string> EnvironmentOf(pid_t pid, std::string_view name) {
  const std::string environment = ReadAll(absl::StrCat("/proc/", pid, "/environ"));
  const std::string prefix = std::string(name) + "=";
  for (const absl::string_view entry : absl::StrSplit(environment, '\0')) {
    absl::string_view rest = entry;
    if (absl::ConsumePrefix(&rest, prefix)) return std::string(rest);
  }
  return std::nullopt;
}

std::string CommandLineOf(pid_t pid) {
  std::string text = ReadAll(absl::StrCat("/proc/", pid, "/cmdline"));
  while (!text.empty() && text.back() == '\0') text.pop_back();
  for (char& c : text) {
    if (c == '\0') c = ' ';
  }
  return text;
}

absl::Time StartTime(std::uint64_t start_ticks) {
  const auto per_second = static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK));
  return absl::FromUnixSeconds(BootSeconds()) + absl::Milliseconds(start_ticks * 1000 / per_second);
}

}  // namespace slipway
