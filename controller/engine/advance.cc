// What comes next: a host's next step, the next batch, the way back, the end.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "controller/engine/approvals.h"
#include "controller/engine/decision.h"
#include "controller/engine/lane.h"

namespace slipway::engine {
namespace {

// How far each host came, save those that were undone on their own.
Reach ReachOf(const State& state) {
  Reach reach;
  for (const auto& [id, task] : state.tasks) {
    if (id.course != Course::forward || task.attempt == 0) continue;
    if (state.undone.count({id.batch, id.host}) > 0) continue;
    std::uint16_t& count = reach[{id.batch, id.host}];
    count = std::max<std::uint16_t>(count, static_cast<std::uint16_t>(id.step + 1));
  }
  return reach;
}

std::string Names(const State& state) {
  std::string names;
  for (const auto& [host, dropped] : state.out) absl::StrAppend(&names, "; ", dropped.why);
  return names;
}

std::string CountOf(const State& state, absl::string_view what) {
  const std::size_t hosts = state.hosts.size();
  return absl::StrCat(hosts - state.out.size(), " of ", hosts, " hosts ", what, Names(state));
}

void Finish(Decision& d, Result result, std::string text) {
  d.Emit(Finished{d.now, result, std::move(text)});
}

void FinishForward(Decision& d) {
  // Each failure was tolerated, but a release that nobody took is no success.
  const bool nobody = !d.state.hosts.empty() && d.state.out.size() == d.state.hosts.size();
  Finish(d, nobody ? Result::needs_person : Result::succeeded, CountOf(d.state, "done"));
}

void FinishBackward(Decision& d) {
  const State& state = d.state;
  if (state.backward.batches.empty()) {
    return Finish(d, Result::rolled_back, "nothing had been changed");
  }
  if (!state.out.empty()) return Finish(d, Result::needs_person, CountOf(state, "went back"));
  const Duration took = d.now - state.turned_back_at;
  if (took > state.rollback.within) {
    return Finish(d, Result::needs_person,
                  absl::StrCat("went back, but took ", absl::FormatDuration(took), " instead of ",
                               absl::FormatDuration(state.rollback.within)));
  }
  Finish(d, Result::rolled_back, CountOf(state, "as before"));
}

// Nothing is running, and no chain that must be finished has a step left.
bool IsDrained(const State& state) {
  return state.open.empty() && (state.stopping->at_once || state.in_chain == 0);
}

// Returns whether there is more to settle.
bool FinishStopping(Decision& d) {
  if (!IsDrained(d.state) || Blocks(d.state.hold)) return false;
  const Stopping stopping = *d.state.stopping;
  switch (stopping.then) {
    case Stopping::Then::abort:
      Finish(d, Result::aborted,
             CountOf(d.state, absl::StrCat("left as they are: ", stopping.reason)));
      return false;
    case Stopping::Then::roll_back:
      if (d.state.committed) {
        // A chain that had to be finished went past the point of no return.
        CallPerson(d, absl::StrCat(Describe(d.state, *d.state.committed), " cannot be undone; ",
                                   stopping.reason));
        return false;
      }
      d.Emit(TurnedBack{d.now, stopping.automatic, stopping.who, stopping.reason,
                        Backward(d.state.forward, d.state.rollback, ReachOf(d.state))});
      return true;
  }
  return false;
}

void ReachGate(Decision& d, const Gate& gate) {
  Hold hold{Hold::Why::gate, gate.role, gate.text};
  const Time since = d.state.gate_since == absl::InfinitePast() ? d.now : d.state.gate_since;
  const bool limited = gate.kind == Gate::Kind::wait || gate.within > absl::ZeroDuration();
  if (limited) hold.until = std::max(d.now, since + gate.within);
  d.Emit(Held{d.now, std::move(hold)});
}

bool IsApprovedAhead(const State& state, const Gate& gate, std::uint16_t batch, Time now) {
  return gate.kind == Gate::Kind::approval && state.course == Course::forward &&
         IsApproved(state, batch, now);
}

// Enters the next batch, or waits before it, or ends the rollout. Returns whether there is more
// to settle.
bool EnterNext(Decision& d) {
  if (d.state.unfinished > 0) return false;
  const std::uint16_t next = NextBatch(d.state);
  const Schedule& schedule = CurrentSchedule(d.state);
  if (next >= schedule.batches.size()) {
    d.state.turned_back ? FinishBackward(d) : FinishForward(d);
    return false;
  }
  const Gate& gate = schedule.batches[next].before;
  if (gate.kind != Gate::Kind::none && !d.state.gate_open) {
    if (IsApprovedAhead(d.state, gate, next, d.now)) {
      const auto by = ApprovedBy(d.state, next, d.now);
      d.Emit(GatePassed{d.now, d.state.course, next, absl::StrJoin(by, " and "), "in advance"});
      return true;
    }
    if (d.state.hold.why != Hold::Why::gate) ReachGate(d, gate);
    return false;
  }
  d.Emit(BatchEntered{d.now, d.state.course, next});
  AdvanceAll(d);
  return true;
}

// A hold for a person that nothing asks for any more: all unknowns settled, the budget kept.
void ReleaseIfSettled(Decision& d) {
  const State& state = d.state;
  if (state.hold.why != Hold::Why::needs_person || !state.undecided.empty()) return;
  const bool over_budget =
      state.failed_in_phase.size() > static_cast<std::size_t>(MaxFailed(state));
  // Turning back is the answer to a broken budget, unless it cannot be done.
  const bool stuck = state.stopping && state.stopping->then == Stopping::Then::roll_back &&
                     state.committed.has_value();
  if (stuck || (over_budget && !state.stopping)) return;
  if (AsksPeople(state)) return;
  d.Emit(Released{d.now, "", "nothing is left to decide"});
  d.presence.ticked = absl::InfinitePast();
  AdvanceAll(d);
}

}  // namespace

void Advance(Decision& d, HostIx host) {
  const auto it = d.state.lanes.find(host);
  if (it == d.state.lanes.end() || it->second.done || !d.IsAttached(host)) return;
  const TaskId id = CurrentTask(it->second, host);
  const Task& task = d.state.tasks.at(id);
  const bool pending = !task.outcome && d.state.open.count(id) == 0;
  if (!pending || task.not_before > d.now || !MayIssue(d.state, it->second)) return;
  d.Emit(TaskIssued{d.now, id, task.attempt + 1});
}

void AdvanceAll(Decision& d) {
  for (const auto& [host, lane] : d.state.lanes) Advance(d, host);
}

void Settle(Decision& d) {
  bool more = true;
  while (more && !d.state.finished) {
    ReleaseIfSettled(d);
    if (d.state.stopping) {
      more = FinishStopping(d);
    } else {
      more = !Blocks(d.state.hold) && EnterNext(d);
    }
  }
}

}  // namespace slipway::engine
