// What /proc tells about processes. Thread-safe, nothing is cached.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"

namespace slipway {

// One line of /proc/PID/stat, as far as it is of use here.
struct ProcessStat {
  pid_t pid = 0;
  pid_t parent = 0;
  pid_t session = 0;
  char state = '?';               // R, S, D, Z, …
  std::uint64_t start_ticks = 0;  // field 22: clock ticks after boot
  std::uint64_t rss_bytes = 0;
};

// Names a process for ever: a pid alone is used again, pid and start time within one boot are not.
struct ProcessIdentity {
  pid_t pid = 0;
  std::uint64_t start_ticks = 0;
  std::string boot_id;
  bool operator==(const ProcessIdentity&) const = default;
};

// /proc/sys/kernel/random/boot_id: another one after each boot of the machine.
std::string BootId();

// nullopt: no such process.
std::optional<ProcessStat> ReadProcessStat(pid_t pid);

// nullopt: no such process.
std::optional<ProcessIdentity> IdentityOf(pid_t pid);

// A zombie is not alive, whoever still has to reap it.
bool IsAlive(const ProcessIdentity& process);

std::vector<ProcessStat> AllProcesses();

// Living processes below `root`, without it and without zombies.
std::vector<ProcessStat> Descendants(pid_t root);

// Living processes that were started with "NAME=value" in their environment. Finds those that
// left their session and lost their parents; needs the right to read the other's environment.
std::vector<ProcessStat> ProcessesWithEnvironment(std::string_view name, std::string_view value);

// "" where the process is gone or not ours to look at. A deleted file ends in " (deleted)".
std::string ExecutableOf(pid_t pid);
std::string WorkingDirectoryOf(pid_t pid);
std::optional<std::string> EnvironmentOf(pid_t pid, std::string_view name);
// Arguments joined by blanks, for people.
std::string CommandLineOf(pid_t pid);

// When a process with these start ticks began, by wall time.
absl::Time StartTime(std::uint64_t start_ticks);

}  // namespace slipway
