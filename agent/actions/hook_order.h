// A program of a release, with the environment that hooks may rely on.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/actions/action.h"
#include "agent/actions/binding.h"
#include "agent/services/hook_runner.h"

namespace slipway::agent {

// `path` is a file of the bound release, fetched and verified where it is not here; `args` are
// rendered. The environment is that of the hooks' reference: SLIPWAY_ROLLOUT, _SERVICE,
// _ENVIRONMENT, _VERSION, _PREVIOUS_VERSION, _HOST, _PHASE, _BATCH, _ATTEMPT, _PORT, and where the
// step has an app _RELEASE_DIR, _CURRENT_DIR and _SHARED_DIR.
absl::StatusOr<HookOrder> OrderOf(ActionContext& ctx, const BoundRelease& release,
                                  const std::string& path, const std::vector<std::string>& args);

// Stops with the agent and with the attempt.
HookWatch WatchOf(const ActionContext& ctx);

}  // namespace slipway::agent
