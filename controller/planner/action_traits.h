// What the engine has to know of each action.
#pragma once

#include "controller/engine/types.h"
#include "slipway/v1/plan.pb.h"

namespace slipway::controller {

// Of an action of the plan, or made by the planner, with the step's own retries and times. Undo of
// a hook is the caller's to set: it stands in release.yaml. `choice`: hosts out of reach.
engine::Traits TraitsOf(const v1::Action& action, const v1::StepOptions& options);

}  // namespace slipway::controller
