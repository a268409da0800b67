// What all parts of one simulation share.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/sim/coverage.h"
#include "tests/sim/dice.h"
#include "tests/sim/timeline.h"

namespace slipway::sim {

class Checkers;
class ControllerSide;
class Machine;
class Network;

// A bug put in on purpose: the checkers must find it.
enum class Mutant {
  none,
  controller_sends_before_append,
  controller_retries_unknown,
  journal_ignores_lease,
  journal_forgets_acknowledged,
  agent_forgets_dedupe,
  agent_ignores_fence,
  agent_runs_again_after_restart,
  agent_answers_before_durable,
  agent_skips_sync,
  agent_changes_its_answer,
  agent_claims_wanted_version,
};

// How rough this run is. Faults happen until `until`; then everything heals.
struct Weather {
  absl::Duration until = absl::ZeroDuration();
  absl::Duration between_faults = absl::InfiniteDuration();
  double loss = 0, doubling = 0, late = 0;               // of messages
  double failing = 0, hanging = 0, slow = 0, later = 0;  // of commands
  double ill = 0;                                        // of releases on a host
  double people = 0;                                     // verbs out of the blue
};

struct Rig {
  Rig(std::uint64_t seed, Mutant mutant_in);
  ~Rig();

  Timeline timeline;
  Dice dice;
  Coverage coverage;
  Weather weather;
  const Mutant mutant;
  bool healed = false;
  const bool tells;
  std::vector<std::unique_ptr<Machine>> machines;
  // Owned by Simulation.
  Checkers* checkers = nullptr;
  Network* network = nullptr;
  ControllerSide* controllers = nullptr;

  // One line of the story, for whoever repeats a seed with SLIPWAY_SIM_TRACE=1.
  template <class... Parts>
  void Tell(const Parts&... parts) {
    if (tells) TellLine(absl::StrCat(parts...));
  }

  std::uint64_t NextSerial() { return ++serial_; }
  bool Rough(double probability) { return !healed && dice.Chance(probability); }

 private:
  void TellLine(const std::string& line) const;

  std::uint64_t serial_ = 0;
};

}  // namespace slipway::sim
