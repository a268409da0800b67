// Values that the engine is made of: hosts, steps, batches, schedules.
//
// All that runs is a batch: each of its hosts does the batch's steps in order on its own,
// and the next batch waits for all of them. Phases, canaries, ramps, one-off steps, rollback
// sweeps and bakes are data made by Forward and Backward (schedule.h); the running engine
// knows batch, task, gate and hold and nothing else.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/model/command.h"
#include "common/model/ids.h"

namespace slipway::engine {

using Time = absl::Time;
using Duration = absl::Duration;

// Index into Planned::hosts.
using HostIx = std::uint32_t;
// Index into Schedule::steps.
using StepIx = std::uint16_t;

// A host of the frozen target set. `vars` is opaque here: what the host's commands carry.
struct Target {
  HostId id;
  std::string vars;
  // By application directory: the release digest that the rollout brings to this host.
  std::map<std::string, std::string> wanted;
  bool operator==(const Target&) const = default;
};

// How a step is reversed.
enum class Undo { not_needed, built_in, impossible };

// Which sweep of a restoring rollback reverses the step (semantics.md: quiesce, restore, undo,
// resume, verify). Ignored when the database is kept or migrated down.
enum class Sweep { quiesce, restore, undo, resume };

// What to do about a host that cannot be reached.
enum class Unreachable { fail, wait, skip };

// All the engine knows of an action.
struct Traits {
  Undo undo = Undo::not_needed;
  Sweep sweep = Sweep::undo;
  bool disruptive = false;               // from here on the host is no longer as users found it
  bool probe_decides = true;             // a probe can tell later whether it happened
  bool verifies = false;                 // a check: when it fails, the trigger is check_failed
  bool on_rollback = false;              // runs again, bound to the old release, after a rollback
  int retries = 0;                       // further attempts after a failure
  Duration timeout = absl::Minutes(10);  // one attempt; kept by the agent
  Duration deadline = absl::Minutes(5);  // `try_later` and unreachable hosts: until then
  Unreachable unreachable = Unreachable::fail;
  bool operator==(const Traits&) const = default;
};

struct Step {
  std::string name;    // "stop media": unique within its phase, for people
  std::string action;  // "stop": for people and metrics
  Direction direction = Direction::apply;
  std::string payload;  // opaque: written by the planner, read by the agent
  Traits traits;
  std::string app;  // application directory that it acts on; "" = none. Names the release
                    // that the host goes back to (Command::previous)
  bool operator==(const Step&) const = default;
};

// Must be passed before a batch is entered.
struct Gate {
  enum class Kind { none, approval, wait, healthy, window };
  Kind kind = Kind::none;
  std::string role;  // approval: whose
  std::string text;  // approval: the question; window, healthy: what is waited for
  Duration within = absl::ZeroDuration();  // wait: how long; else the gate times out after this
  enum class OnTimeout { hold, roll_back, abort } on_timeout = OnTimeout::hold;
  std::vector<std::string> people = {};  // approval: who may answer, by name; empty: anybody
  int approvals = 1;                     // approval: this many different people must say yes
  bool operator==(const Gate&) const = default;
};

// One host's part in a batch: the batch's steps from position `first` on.
struct Chain {
  HostIx host = 0;
  std::uint16_t first = 0;
  bool operator==(const Chain&) const = default;
};

struct Batch {
  std::uint16_t phase = 0;    // index into Schedule::phases
  std::vector<StepIx> steps;  // in order, the same for each host
  std::vector<Chain> hosts;
  Gate before;
  bool operator==(const Batch&) const = default;
};

struct Phase {
  std::string name;
  int max_failed = 0;                     // hosts, over the whole phase
  Duration takes = absl::ZeroDuration();  // planned by people; for reports
  bool operator==(const Phase&) const = default;
};

struct Schedule {
  std::vector<Phase> phases;
  std::vector<Step> steps;
  std::vector<Batch> batches;
  bool operator==(const Schedule&) const = default;
};

// Why a rollout turns back or holds by itself.
struct Triggers {
  bool step_failed = true;  // else a failure beyond the budget holds for a person
  bool check_failed = true;
  bool manual = true;
  bool operator==(const Triggers&) const = default;
};

}  // namespace slipway::engine
