// The plan with every default written out, so that what follows asks no questions. Pure.
#pragma once

namespace slipway::v1 {
class Plan;
}

namespace slipway::plan {

// Every batched phase has a whole strategy (its own keys over the plan's over the defaults), every
// step a name, timeout, deadline and choice for hosts out of reach; the rollback its triggers,
// batches, proof and limit. Of a plan without errors.
v1::Plan FilledIn(v1::Plan plan);

}  // namespace slipway::plan
