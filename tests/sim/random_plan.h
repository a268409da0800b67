// Plans as people might write them, at random: phases, batches, gates, policies.
#pragma once

#include <string>

#include "controller/engine/event.h"
#include "tests/sim/dice.h"

namespace slipway::sim {

// What a rollout on `hosts` begins with. `before`: what was observed there.
engine::Planned RandomPlan(Dice& dice, const std::vector<HostId>& hosts, const std::string& release,
                           const std::map<engine::HostIx, Observed>& before, absl::Time at);

// Longest time for which nothing may happen in this rollout although nobody is waited for: twice
// the longest deadline, timeout or gate of its steps and a minute.
absl::Duration PatienceOf(const engine::Planned& planned);

}  // namespace slipway::sim
