// What readers see of a rollout: immutable, made after the append, shared without a lock.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "common/model/ids.h"
#include "controller/engine/engine.h"

namespace slipway::controller {

struct RolloutView {
  RolloutId id;
  engine::State state;         // after record `sequence`
  engine::Presence presence;   // who is attached; empty when the rollout is over
  std::uint64_t sequence = 0;  // newest record that is part of `state`
  std::uint64_t epoch = 0;     // 0: not driven here
  // Why it does not go on: "storage: …" (heals by itself), or what a person has to look at;
  // "" = nothing.
  std::string trouble;
};

// One line of a rollout's history, known without replaying it.
struct RolloutSummary {
  RolloutId id;
  absl::Time began;                          // of the first event
  std::string description;                   // as in engine::Planned
  std::optional<engine::Finished> finished;  // nullopt: it is still open
};

}  // namespace slipway::controller
