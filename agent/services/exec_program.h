// The program that a shim runs, from fork to exec.
#pragma once

#include <sys/types.h>

#include <string>

#include "absl/status/status.h"
#include "agent/services/exec_spec.h"

namespace slipway::agent {

// Not thread-safe; for a process with one thread.
class Program {
 public:
  // Forks a child that holds still: it has its session and its pipes and waits for Execute.
  // It never executes when this process dies before.
  absl::Status Fork(const ExecSpec& spec, const std::string& dir, const std::string& cgroup);

  // Lets it go. The error names what could not be executed and why; the child is gone then.
  absl::Status Execute();

  // Ends the waiting child. Returns `why`.
  absl::Status Abandon(const absl::Status& why);

  pid_t pid() const { return pid_; }

  // Its standard output and error, to be read without blocking; -1 once closed.
  int output() const { return output_; }
  void CloseOutput();

 private:
  pid_t pid_ = 0;
  int output_ = -1;
  int go_ = -1;      // one byte lets the child go
  int failed_ = -1;  // what the child has to say about an exec that failed; closed by exec
};

}  // namespace slipway::agent
