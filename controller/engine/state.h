// The whole state of one rollout: a value, rebuilt by applying its events.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "controller/engine/event.h"

namespace slipway::engine {

// A step on one host is pending (its host's turn has come, nothing is issued), open (issued, no
// answer) or closed (has an outcome).
struct Task {
  int attempt = 0;  // highest issued
  int counted = 0;  // attempts that cost a retry
  std::optional<Outcome> outcome;
  Time first_issued_at = absl::InfinitePast();
  Time not_before = absl::InfinitePast();    // pending: the next attempt waits until then
  Time give_up_at = absl::InfiniteFuture();  // pending: the host must attach, open: answer by then
  bool resolvable = false;  // closed: a late answer about `attempt` may still settle it
  bool skipped = false;     // a person let the host's chain end here
  std::string message, excerpt;
  bool operator==(const Task&) const = default;
};

// One host's way through the batch it is in.
struct Lane {
  Course course = Course::forward;
  std::uint16_t batch = 0;
  std::uint16_t next = 0;     // position of the step that runs or comes next
  std::uint16_t reached = 0;  // forward: steps issued, counted from position 0
  bool disrupted = false;     // a disruptive step was issued in this chain: it is finished first
  bool urged = false;         // a person asked for it: goes on although the rollout needs a person
  bool done = false;          // nothing more to do here in this batch
  Time ready_since = absl::InfinitePast();
  bool operator==(const Lane&) const = default;
};

// Why a host takes no further part.
struct Dropped {
  std::optional<Outcome> outcome;  // empty: a person skipped it
  std::string why;                 // for people: step and message
  bool operator==(const Dropped&) const = default;
};

struct State {
  std::vector<Target> hosts;
  Schedule forward, backward;
  std::vector<Step> undo_steps;  // forward.steps as course undo_one runs them
  RollbackPolicy rollback;
  std::string description;
  std::string started_by;

  Course course = Course::forward;  // forward or backward
  std::uint16_t batch = 0;          // of `course`: the one that runs, or that comes first
  bool entered = false;             // false: no batch of this course was entered yet
  bool turned_back = false;
  bool went_back_by_itself = false;  // at most one automatic rollback
  std::optional<Stopping> stopping;
  std::optional<TaskId> committed;  // first issued step that cannot be undone

  std::map<TaskId, Task> tasks;
  std::set<TaskId> open;             // issued, no outcome: this IS what is outstanding
  std::set<TaskId> undecided;        // unknown, and nobody has settled it yet
  std::map<HostIx, Lane> lanes;      // of the batch that is being run
  std::size_t unfinished = 0;        // lanes not done
  std::size_t in_chain = 0;          // lanes disrupted and not done
  std::set<HostIx> failed_in_phase;  // counted against the phase's max_failed
  std::map<HostIx, Dropped> out;     // hosts that take no further part, named at the end
  std::set<std::pair<std::uint16_t, HostIx>> undone;  // (forward batch, host) undone on its own
  std::vector<bool> touched;                 // by host: something was issued that changes it
  std::set<std::pair<Time, TaskId>> timers;  // not_before and give_up_at, unless a hold stops them
  Time gate_since = absl::InfinitePast();    // the gate of the next batch was reached then
  bool gate_open = false;                    // and passed
  std::map<std::uint16_t, std::vector<GateAnswered>> answers;  // by forward batch, oldest first
  std::vector<Noted> notes;                                    // oldest first
  Time turned_back_at = absl::InfiniteFuture();

  Hold hold;
  Hold beneath;  // a pause or brake that needs_person lies upon
  Time held_since = absl::InfinitePast();
  Time now = absl::InfinitePast();
  std::map<HostIx, Observed> before, seen;
  std::set<HostIx> unsure;  // may have changed after they were seen
  std::optional<Finished> finished;

  bool operator==(const State&) const = default;
};

// Who is connected right now. Not journaled and not part of State: after a restart nobody is,
// until they attach again; only a host that was attached to this incarnation can be lost.
// The engine keeps it; callers only carry it from one Decide to the next.
struct Presence {
  std::map<HostIx, Time> attached;           // since when
  std::deque<std::pair<Time, HostIx>> lost;  // recent losses, for the mass-loss brake
  Time since = absl::InfiniteFuture();       // first input of this incarnation
  Time ticked = absl::InfinitePast();        // timers up to here were looked at
  Time recheck_at = absl::InfiniteFuture();  // some of them wait for their host until then
};

}  // namespace slipway::engine
