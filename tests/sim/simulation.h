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
  Pairs pairs;
  bool on_disk = false;  // the controller's journal was SQLite on a simulated disk
  absl::Duration simulated = absl::ZeroDuration();
  int rollouts = 0;
  std::uint64_t steps = 0;
};

// One run of five has SQLite under the controller, the others a journal in memory.
enum class Storage { by_seed, memory, sqlite };

// The same seed, mutant and storage, the same run.
Report Simulate(std::uint64_t seed, Mutant mutant = Mutant::none,
                Storage storage = Storage::by_seed);

}  // namespace slipway::sim
