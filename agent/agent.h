// The agent's composition root: builds all parts in the order of their dependencies.
//
//   state folder ─► output, hooks, services, releases ─► actions ◄─► core loop ◄─► session
//
// Threads: the session's, the core's, those of the actions, one for output, one for health.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/config.h"
#include "common/clock.h"
#include "common/supervisor.h"

namespace slipway::agent {

class Agent {
 public:
  // Takes the folder's lock, replays the command log, asks the host what became of what an earlier
  // process had started, and dials the controller from then on. `clock` and `supervisor`
  // outlive the agent; the supervisor is told that it is ready when the command log is replayed,
  // since a controller that cannot be reached is no reason not to be, and whether it is attached.
  //
  // Errors: FAILED_PRECONDITION: another process works in the folder; DATA_LOSS: the state is
  // damaged; others name what is missing.
  static absl::StatusOr<std::unique_ptr<Agent>> Start(const Config& config, const Clock& clock,
                                                      Supervisor& supervisor);
  // Children go on without us; what runs is probed by the next process. As a crash, but tidy.
  ~Agent();

  // Returns when Stop was called (OK), or with the reason why this agent cannot go on.
  absl::Status Wait();
  // From any thread.
  void Stop();

 private:
  class Parts;
  explicit Agent(std::unique_ptr<Parts> parts);
  const std::unique_ptr<Parts> parts_;
};

}  // namespace slipway::agent
