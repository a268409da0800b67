// Which definition of a service holds, and what a probe after a restart says of it.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "agent/actions/binding.h"

namespace slipway::agent {

// As it is to be stopped: by the definition of the release that runs, else of the one that is
// live, else of the one that was here before, else of the task's own.
absl::StatusOr<BoundService> ServiceToStop(const ActionContext& ctx, const std::string& app,
                                           const std::string& name);

// Of an attempt to start: succeeded or failed when it runs from the release (it may still get
// ready until the deadline) or died of it; not_applied when it was never started.
AttemptEnd ProbeStarted(ActionContext& ctx, const BoundService& service);

// Of an attempt to stop: succeeded when it does not run, else not_applied.
AttemptEnd ProbeStopped(ActionContext& ctx, const std::string& app, const std::string& name);

}  // namespace slipway::agent
