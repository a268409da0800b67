// What TaskRunner needs of the world around it.
#pragma once

#include "agent/core/reply.h"
#include "common/model/command.h"

namespace slipway::agent {

// The way to the controller. Calls only enqueue and never fail: what gets lost is said again,
// acceptance and refusal when the command comes again, answers at the next Connected().
class Sender {
 public:
  virtual ~Sender() = default;
  virtual void Accepted(const Acceptance& acceptance) = 0;
  virtual void Refused(const Refusal& refusal) = 0;
  // Until Acknowledged comes for `answer.id`; always with the same content.
  virtual void Answered(const Answer& answer) = 0;
};

// Carries commands out, one at a time. Calls return at once and never call back into TaskRunner:
// results come later as inputs of Pump, each within the command's timeout (plus what killing
// takes), whatever happens.
class Executor {
 public:
  virtual ~Executor() = default;

  // Begins. Called at most once for an id, ever, also across restarts. One Ended follows, unless
  // the process dies first.
  virtual void Start(const Command& command) = 0;

  // Finds out what became of a command that an earlier process of the agent started. One Probed
  // follows. Answers succeeded, failed, timed_out, not_applied or unknown, or that it still runs
  // (then it is watched as if started here, and Ended follows). `rebooted`: the machine booted
  // since, so no process of it can live. Must not repeat anything that is not harmless to repeat.
  virtual void Probe(const Command& command, bool rebooted) = 0;

  // The way back waits for this command: end it as soon as that is safe. An action that must not
  // be interrupted ignores it. Ended comes as ever. May repeat.
  virtual void Cancel(const CommandId& id) = 0;
};

}  // namespace slipway::agent
