// The reference rollout: always the same, on three hosts, in fine weather. A canary comes up well,
// the last host does not, and everything goes back by itself. What befalls it is planned, kill by
// kill.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "tests/sim/checkers.h"
#include "tests/sim/rig.h"

namespace slipway::sim {

inline constexpr std::size_t kReferenceHosts = 3;

struct Reference {
  // Of an invariant, or of the end that the rollout must come to: rolled back, and every host as it
  // was before.
  std::optional<Violation> violation;
  std::size_t kills_left = 0;  // planned and not come to
  // Durable operations of all lives: of the controller's disk, and of each agent's log.
  std::uint64_t controller_operations = 0;
  std::vector<std::uint64_t> agent_writes;
};

Reference RunReference(std::deque<Kill> kills, Mutant mutant = Mutant::none);

}  // namespace slipway::sim
