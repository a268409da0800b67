// One run: a few rollouts, one after the other, on a small fleet in bad weather. The real engine,
// runner and journal on one side, the real agent core, runner and log on the other; one thread,
// virtual time, one seed.
#pragma once

#include <cstdint>
#include <optional>

#include "tests/sim/checkers.h"
#include "tests/sim/coverage.h"
#include "tests/sim/rig.h"

namespace slipway::sim {

struct Report {
  std::uint64_t seed = 0;
  std::optional<Violation> violation;
  Coverage coverage;
  absl::Duration simulated = absl::ZeroDuration();
  int rollouts = 0;
  std::uint64_t steps = 0;
};

// The same seed and mutant, the same run.
Report Simulate(std::uint64_t seed, Mutant mutant = Mutant::none);

}  // namespace slipway::sim
