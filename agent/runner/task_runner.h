// The shell around the agent's core: decide, persist, and only then let anything happen.
//
// Owns no thread and no clock; the agent's loop, the tests and the simulator call it alike.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/core/core.h"
#include "agent/runner/ports.h"
#include "agent/state/command_log.h"

namespace slipway::agent {

// Not thread-safe: one caller at a time.
class TaskRunner {
 public:
  // Replays `log`, records that the agent came up and asks `executor` to probe what an earlier
  // process had started. `boot_id` is /proc/sys/kernel/random/boot_id. `log`, `sender` and
  // `executor` outlive the runner. Errors are those of CommandLog.
  static absl::StatusOr<std::unique_ptr<TaskRunner>> Open(HostId host, std::string boot_id,
                                                          CommandLog& log, Sender& sender,
                                                          Executor& executor);

  // Decides all of `inputs`, makes their records durable with one sync, then calls the ports.
  // A full disk refuses commands (the sender is told) and still records answers.
  //
  // Any error means that nobody can tell what is on the disk: end the process at once. Nothing
  // of this batch was said or done.
  absl::Status Pump(const std::vector<Input>& inputs);

  // A session is up: every answer that was not acknowledged is sent again, in order.
  void Connected();

  // For the hello of the next session.
  std::vector<Witness> Witnesses() const { return agent::Witnesses(state_); }
  const State& state() const { return state_; }
  std::uint64_t log_bytes() const { return log_.size(); }

 private:
  TaskRunner(CommandLog& log, Sender& sender, Executor& executor);

  absl::Status PumpOneByOne(const std::vector<Input>& inputs);
  absl::Status Compact(const std::vector<Record>& records);
  void Dispatch(const std::vector<Record>& records, const std::vector<Reply>& replies);

  CommandLog& log_;
  Sender& sender_;
  Executor& executor_;
  State state_;
};

}  // namespace slipway::agent
