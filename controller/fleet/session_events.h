// What agents' sessions tell the rest of the controller.
#pragma once

#include <string>

#include "common/model/command.h"

namespace slipway::controller {

// Called on the sessions' one thread: implementations only enqueue and return.
class SessionEvents {
 public:
  virtual ~SessionEvents() = default;

  // A session is up and commands may be sent. May repeat without a Lost in between, when the
  // agent came back before its old session was found broken: what was sent there is lost.
  virtual void Attached(const HostId& host) = 0;
  // The session broke or fell silent.
  virtual void Lost(const HostId& host) = 0;
  // At least once, possibly late. The host is that of the id.
  virtual void Answered(const Answer& answer) = 0;
  // The command was not taken and had no effect. `again`: it may go well later.
  virtual void Refused(const CommandId& id, bool again, const std::string& text) = 0;
  // The host's own report.
  virtual void Sighted(const HostId& host, const Observed& observed) = 0;
  // The highest fence that the host has seen of a rollout; before its Attached.
  virtual void Witnessed(const HostId& host, const RolloutId& rollout, const Fence& fence) = 0;
};

}  // namespace slipway::controller
