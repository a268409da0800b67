// The two pure functions that turn a plan into data, and data into the way back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "controller/engine/types.h"

namespace slipway::engine {

// "3" or "25%": of the group, rounded down, never below 1, never above what is left.
struct Share {
  int count = 0;
  int percent = 0;
  bool operator==(const Share&) const = default;
};

struct Strategy {
  Share canary;                     // {0, 0}: none
  std::vector<Share> ramp;          // batch sizes; the last entry repeats; empty: all at once
  std::optional<Step> canary_bake;  // appended to the canary's chain
  std::optional<Step> bake;         // appended to every other chain of this part
  bool operator==(const Strategy&) const = default;
};

// A batched phase is one part; a stepwise phase is one part for each of its steps.
struct Part {
  std::uint16_t phase = 0;
  std::vector<HostIx> hosts;
  std::vector<Step> steps;
  Strategy strategy;
  Gate before;
};

// What the planner hands over: names resolved, payloads written, policy decided.
struct Plan {
  std::vector<Phase> phases;
  std::vector<Part> parts;
};

enum class DatabaseWay {
  keep,     // the schema stays
  down,     // migrated down, as the last thing
  restore,  // restored from the backup: four sweeps over the whole fleet
};

struct RollbackPolicy {
  DatabaseWay database = DatabaseWay::keep;
  std::vector<Share> ramp;              // batch sizes of the way back; empty: all at once
  Duration within = absl::Minutes(30);  // longer: it goes on, and ends in needs_person
  Triggers triggers;
  // restore only: hosts whose services use the database, touched or not, with the steps
  // that quiesce and resume them (direction `apply`).
  std::vector<HostIx> users;
  std::vector<Step> quiesce, resume;
  bool operator==(const RollbackPolicy&) const = default;
};

// Sizes of the batches that a group of hosts is cut into; with a canary, it is the first. Shares
// are of the group; the last entry of `ramp` repeats and is capped to what is left.
std::vector<std::size_t> BatchSizes(std::size_t group, const Share& canary,
                                    const std::vector<Share>& ramp);

// How far each host came: the number of steps *issued* to it, by (batch, host) of the forward
// schedule. Hosts that were undone on their own are left out.
using Reach = std::map<std::pair<std::uint16_t, HostIx>, std::uint16_t>;

// Batches of `plan`, in order. The order of hosts within a part is shuffled by `seed`
// (the same seed, the same canary); a part without strategy is one batch.
Schedule Forward(const Plan& plan, std::uint64_t seed);

// The first step of `reach` that cannot be undone; from there on nothing goes back by itself.
std::optional<StepIx> PointOfNoReturn(const Schedule& forward, const Reach& reach);

// The way back from `reach`, for every prefix of `forward`: issued steps in reverse, the checks
// marked `on_rollback` last on each host that was touched. Empty when nothing has to be undone.
// Steps that cannot be undone are left out.
Schedule Backward(const Schedule& forward, const RollbackPolicy& policy, const Reach& reach);

}  // namespace slipway::engine
