// What a finished rollout leaves to the registry.
#pragma once

#include <vector>

#include "controller/engine/engine.h"
#include "controller/registry/records.h"

namespace slipway::controller {

// By host and application: the release that should be there from now on. A success wants what it
// brought, a rollback what it found on the hosts that it touched; where people stopped half-way
// nothing new is wanted.
std::vector<Wanted> WantedAfter(const RolloutId& rollout, const engine::State& state);

}  // namespace slipway::controller
