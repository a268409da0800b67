// The whole state of one rollout: a value, rebuilt by applying its events.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "controller/engine/event.h"

namespace slipway::engine {

struct Task {
  int attempt = 0;            // highest issued
  int counted = 0;            // attempts that cost a retry
  std::optional<Outcome> outcome;
  Time first_issued_at = absl::InfinitePast();
  Time give_up_at = absl::InfiniteFuture();   // open: no answer until then
  Time not_before = absl::InfinitePast();     // closed: next attempt
  bool skipped = false;
  std::string message, excerpt;
  bool operator==(const Task&) const = default;
};

// One host's way through the batch it is in.
struct Lane {
  Course course = Course::forward;
  std::uint16_t batch = 0;
  std::uint16_t next = 0;     // position of the step that runs or comes next
  bool disrupted = false;     // a disruptive step was issued in this chain
  bool done = false;          // nothing more to do here in this batch
  Time ready_since = absl::InfinitePast();
  bool operator==(const Lane&) const = default;
};

struct State {
  std::vector<Target> hosts;
  Schedule forward, backward;
  RollbackPolicy rollback;
  std::string description;

  Course course = Course::forward;
  std::uint16_t batch = 0;
  bool entered = false;                  // false: waiting for the batch's gate
  bool turned_back = false;
  bool went_back_by_itself = false;      // at most one automatic rollback
  std::optional<Stopping> stopping;

  std::map<TaskId, Task> tasks;
  std::set<TaskId> open;                 // issued, no outcome: this IS what is outstanding
  std::map<HostIx, Lane> lanes;          // of the batch that is being run
  std::size_t unfinished = 0;            // lanes not done
  std::size_t in_chain = 0;              // lanes with a disruptive step issued and not done
  std::set<HostIx> failed_in_phase;
  std::set<HostIx> out;                  // hosts that take no further part, named at the end
  std::set<std::pair<Time, TaskId>> timers;   // give_up_at, not_before, ready deadlines
  Time gate_since = absl::InfinitePast();
  Time turned_back_at = absl::InfiniteFuture();

  Hold hold;
  Time now = absl::InfinitePast();
  std::map<HostIx, Observed> before, seen;
  std::optional<Finished> finished;

  bool operator==(const State&) const = default;
};

// Who is connected right now. Not journaled and not part of State: after a restart nobody is,
// until they attach again; only a host that was attached to this incarnation can be lost.
struct Presence {
  std::set<HostIx> attached;
  std::deque<std::pair<Time, HostIx>> lost;   // recent losses, for the mass-loss brake
};

}  // namespace slipway::engine
