// The agent's side of a run under the child shim (exec_shim.h): start it, find it again, end it.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/services/exec_spec.h"
#include "common/process/proc.h"

namespace slipway::agent {

// What is known of a run.
struct ExecState {
  enum class Kind {
    not_started,  // proven: the program never ran here and never will
    running,      // the program, or what it left behind, lives
    exited,       // `exit` tells how; the shim is gone too
    lost,         // it ran and is gone, and nobody saw how it ended (power cut, shim killed)
  };
  Kind kind = Kind::not_started;
  ExecRunning running = {};  // for running, exited and lost
  ExecExit exit = {};        // for exited
};

// One run in its folder. A value: it holds nothing open, and everything that it says is read from
// the folder and /proc, so that a handle made after a restart of the agent is as good as the first.
class Execution {
 public:
  explicit Execution(std::string dir) : dir_(std::move(dir)) {}

  const std::string& dir() const { return dir_; }

  // Of a folder whose shim was spawned but has not begun it takes possession: the late shim finds
  // its folder used and does nothing. So `not_started` stays true.
  ExecState State() const;

  // Returns true once the run is not `running` any more, false when `limit` passed.
  bool WaitFor(absl::Duration limit) const;

  // To the process group of the program; nothing happens when it is gone.
  void Signal(int signal) const;

  // KILL for all of it, wherever it hides; also when the shim is dead. Returns once the kills are
  // under way: WaitFor tells when it is over.
  void KillAll() const;

  // Living processes of the run.
  std::vector<ProcessStat> Processes() const;

 private:
  std::string dir_;
};

// Starts runs. Thread-safe.
class ExecLauncher {
 public:
  // `shim` is the command to which the folder is appended; in production {"/proc/self/exe",
  // "exec"}.
  explicit ExecLauncher(std::vector<std::string> shim) : shim_(std::move(shim)) {}

  // Creates `dir` where it is not there yet (its parent is), writes the spec and starts the shim.
  // Returns once the program executes, or once it is clear that it does not: State() tells. Nobody
  // else asks for the State of `dir` meanwhile.
  //
  // Errors: ALREADY_EXISTS, `dir` had a run before; others: nothing was started.
  absl::StatusOr<Execution> Start(const std::string& dir, const ExecSpec& spec) const;

 private:
  absl::StatusOr<pid_t> Spawn(const std::string& dir, int ready) const;

  const std::vector<std::string> shim_;
};

}  // namespace slipway::agent
