// Facts of one rollout, in past tense. Journaled, never edited; Apply() is their only reader.
// A decision's result stands in the event itself (again_at, batch, text), so that a replay
// by a newer engine decides nothing again.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/model/observed.h"
#include "common/model/outcome.h"
#include "controller/engine/schedule.h"
#include "controller/engine/types.h"

namespace slipway::engine {

// A step on one host. Unit of retry and of the journal.
struct TaskId {
  Course course = Course::forward;
  std::uint16_t batch = 0;  // of the course's schedule (undo_one: of the forward one)
  std::uint16_t step = 0;   // position in the batch's steps
  HostIx host = 0;
  auto operator<=>(const TaskId&) const = default;
};

enum class Result {
  succeeded,     // every host observed on the new version, or named and tolerated
  rolled_back,   // every touched host observed on what it had before
  needs_person,  // mixed or unhealthy
  aborted,       // by a person, left as it was
};

// First event. The compiled schedule is part of it: nothing is planned again, ever.
struct Planned {
  Time at;
  std::vector<Target> hosts;
  Schedule forward;
  RollbackPolicy rollback;
  std::map<HostIx, Observed> before;
  std::string description;  // opaque: what the controller wants to find again (plan, release, who)
  std::string started_by;   // cannot approve it (four eyes); empty: nobody is kept from it
  bool operator==(const Planned&) const = default;
};

struct BatchEntered {
  Time at;
  Course course = Course::forward;
  std::uint16_t batch = 0;
  bool operator==(const BatchEntered&) const = default;
};

struct TaskIssued {
  Time at;
  TaskId task;
  int attempt = 1;
  bool operator==(const TaskIssued&) const = default;
};

// An attempt is over. With `again_at` the task goes on with the next attempt at that time;
// without, `outcome` is final. `counted`: the attempt cost a retry; final: the host counts
// against the budget of its phase.
struct TaskEnded {
  Time at;
  TaskId task;
  int attempt = 0;  // 0: never issued (unreachable)
  Outcome outcome = Outcome::unknown;
  std::optional<Time> again_at;
  bool counted = true;
  std::string message, excerpt;
  bool operator==(const TaskEnded&) const = default;
};

// A task that had ended, or could not begin, was settled: by a late report (`by` empty) or by a
// person. retry: `outcome` empty, the next attempt may be issued.
struct TaskResolved {
  Time at;
  TaskId task;
  std::optional<Outcome> outcome;
  std::string by, text;
  bool skipped = false;  // a person lets the host's chain end here; outcome as it was
  bool goes_on = false;  // the host's chain goes on: with this task again, or after it
  bool operator==(const TaskResolved&) const = default;
};

// A health or watch trigger fired on a host whose chain was done: the host has failed after all.
struct HostTripped {
  Time at;
  HostIx host = 0;
  std::string reason;
  bool operator==(const HostTripped&) const = default;
};

// The failing host of a tolerated failure is undone on its own (course undo_one).
struct HostTurnedBack {
  Time at;
  std::uint16_t batch = 0;
  HostIx host = 0;
  bool operator==(const HostTurnedBack&) const = default;
};

// A person's word on the approval gate before a batch, given at the gate or ahead of it. Plan,
// release and hosts of a rollout never change, so that it holds for these and no others.
struct GateAnswered {
  Time at;
  std::uint16_t batch = 0;  // of the forward schedule
  bool approves = false;
  std::string who, role, note;
  Time until = absl::InfiniteFuture();  // a yes counts at a gate that is reached before
  bool operator==(const GateAnswered&) const = default;
};

// A remark. Nothing follows from it.
struct Noted {
  Time at;
  std::string who, text;
  bool operator==(const Noted&) const = default;
};

struct GatePassed {
  Time at;
  Course course = Course::forward;
  std::uint16_t batch = 0;
  std::string by, note;
  bool operator==(const GatePassed&) const = default;
};

struct Hold {
  enum class Why { none, paused, gate, brake, needs_person };
  Why why = Why::none;
  std::string who, text;
  Time until = absl::InfiniteFuture();  // gate: passed or timed out then
  bool at_once = false;                 // chains do not finish: nothing more is issued
  bool operator==(const Hold&) const = default;
};

struct Held {
  Time at;
  Hold hold;
  bool operator==(const Held&) const = default;
};
struct Released {
  Time at;
  std::string who, text;
  bool operator==(const Released&) const = default;
};

// From here on no new forward chain starts; running ones finish unless `at_once`. When the last
// is done, `then` happens.
struct Stopping {
  Time at;
  enum class Then { roll_back, abort } then = Then::roll_back;
  bool automatic = true, at_once = false;
  std::string who, reason;
  bool operator==(const Stopping&) const = default;
};

struct TurnedBack {
  Time at;
  bool automatic = true;
  std::string who, reason;
  Schedule backward;
  bool operator==(const TurnedBack&) const = default;
};

struct HostSeen {
  Time at;
  HostIx host = 0;
  Observed observed;
  bool operator==(const HostSeen&) const = default;
};

struct Finished {
  Time at;
  Result result = Result::needs_person;
  std::string text;
  bool operator==(const Finished&) const = default;
};

using Event = std::variant<Planned, BatchEntered, TaskIssued, TaskEnded, TaskResolved, HostTripped,
                           HostTurnedBack, GatePassed, Held, Released, Stopping, TurnedBack,
                           HostSeen, Finished, GateAnswered, Noted>;

}  // namespace slipway::engine
