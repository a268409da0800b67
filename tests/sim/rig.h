// What all parts of one simulation share.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/sim/coverage.h"
#include "tests/sim/dice.h"
#include "tests/sim/pairs.h"
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
  controller_sleeps_in,
  journal_drops_fractions,
  disk_forgets_syncs,
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

// One death that is planned: of a process, within a durable operation of its disk.
struct Kill {
  int host = kController;
  std::uint64_t operation = 0;  // so many go well before it; counted from when it is armed
  enum class How { before, torn, unsynced, after } how = How::before;
  bool power_cut = false;  // its machine goes down with it
  static constexpr int kController = -1;
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
  Pairs pairs;
  // In order: each is armed once the one before it happened and its process runs.
  std::deque<Kill> kills;
  bool kills_are_planned = false;                // nothing dies by chance
  absl::Time stirred_at = absl::InfinitePast();  // last fault, or last return from one
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

  // A fault takes effect now.
  void Strike(Fault fault);
  // A fault is over now, or what it took away is back.
  void Stir() { stirred_at = timeline.Now(); }

  // The process of `host` starts, with its disk: arms the next kill, if it is this one's.
  void Started(int host);
  // The process of `host` is dead. True: its machine goes down with it. Arms the next kill, if it
  // is one of another process that runs.
  bool PowerGoesToo(int host);

  std::uint64_t NextSerial() { return ++serial_; }
  bool Rough(double probability) { return !healed && dice.Chance(probability); }

 private:
  void TellLine(const std::string& line) const;
  void ArmNext();

  std::uint64_t serial_ = 0;
  std::optional<Kill> armed_;
};

}  // namespace slipway::sim
