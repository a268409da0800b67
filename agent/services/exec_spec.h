// The folder of one run under the child shim: what is to be run, what runs, how it ended.
//
//   DIR/spec       written by the agent before the shim is started
//   DIR/lock       held by the shim as long as it lives
//   DIR/running    durable before the program's first instruction: who runs
//   DIR/exit       durable once nothing of the run is left: how it ended
//   DIR/out.N      what the program wrote, from its byte N on (exec_output.h)
//   DIR/shim.err   complaints of the shim itself
//
// One folder is for one run, ever: the shim never starts anything in a folder that has a record.
// The files hold "key=value" entries, each ended by a NUL.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/process/proc.h"

namespace slipway::agent {

// Each process of a run finds DIR in this variable, so that it can be told from all others also
// when its parents are gone.
inline constexpr char kExecMark[] = "SLIPWAY_EXEC";

struct ExecSpec {
  std::vector<std::string> argv = {};  // argv[0] is an absolute path, or relative to `cwd`
  std::vector<std::string> env = {};   // "NAME=value"; nothing else is inherited
  std::string cwd = "/";
  std::string user = {};  // "" = that of the agent
  std::string exclusive =
      {};                // second lock file: runs that name the same exclude each other; "" = none
  std::string log = {};  // file to append the output to; "" = spooled in DIR, bounded
  std::uint64_t log_bytes_max = 64 << 20;  // then `log` is renamed to log.1, log.1 to log.2, …
  int log_keep = 4;                        // renamed ones that are kept
  absl::Duration deadline =
      absl::ZeroDuration();                  // the shim's own limit, also without agent; 0 = none
  absl::Duration grace = absl::Seconds(10);  // between TERM and KILL at the deadline
  // Of the run where the kernel counts them by cgroup, else of its user; root has no such limit.
  // More than all services of one user have, and far from all that a host can have.
  int processes_max = 16'384;
  bool operator==(const ExecSpec&) const = default;
};

struct ExecRunning {
  ProcessIdentity shim = {};
  ProcessIdentity child = {};
  absl::Time since = {};
  bool operator==(const ExecRunning&) const = default;
};

struct ExecExit {
  std::string refused = {};  // why the program could not be started; "" = it ran
  int code = 0;              // exit status, when `signal` is 0
  int signal = 0;            // that ended it
  bool timed_out = false;    // by the shim's own deadline
  int leftovers = 0;         // processes that outlived the program and were ended
  absl::Time at = {};
  bool operator==(const ExecExit&) const = default;
};

// "exited with status 3", "was ended by SIGKILL", …: for messages.
std::string Describe(const ExecExit& exit);
// "SIGTERM"; "signal 64" where it has no name.
std::string SignalName(int signal);

// Reads of what is not there are NOT_FOUND, of what cannot be understood DATA_LOSS.
// `running` and `exit` are durable when the call returns; the spec need not be: the machine that
// forgets it forgets the run, too.
absl::Status WriteSpec(const std::string& dir, const ExecSpec& spec);
absl::StatusOr<ExecSpec> ReadSpec(const std::string& dir);
absl::Status WriteRunning(const std::string& dir, const ExecRunning& running);
absl::StatusOr<ExecRunning> ReadRunning(const std::string& dir);
absl::StatusOr<ExecExit> ReadExit(const std::string& dir);
absl::Status WriteExit(const std::string& dir, const ExecExit& exit);

// Takes the disk space that WriteExit will need, so that a full disk cannot lose an exit status.
absl::Status ReserveExit(const std::string& dir);

}  // namespace slipway::agent
