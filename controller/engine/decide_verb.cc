// What people say. A verb that makes no sense now changes nothing and says what to do instead.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/status_macros.h"
#include "controller/engine/approvals.h"
#include "controller/engine/decision.h"
#include "controller/engine/lane.h"

namespace slipway::engine {
namespace {

absl::Status Refuse(absl::string_view what) {
  return absl::FailedPreconditionError(absl::StrCat(what));
}

// The person's word ends whatever held the rollout; what follows is the verb's own event.
void Release(Decision& d, const Verb& in, absl::string_view text) {
  // A release by nobody is one that the engine decided by itself.
  const std::string who = in.who.empty() ? "a person" : in.who;
  d.Emit(Released{d.now, who, std::string(text)});
  d.presence.lost.clear();
  // Timers were put back: all of them are looked at anew.
  d.presence.ticked = absl::InfinitePast();
}

absl::Status Pause(Decision& d, const Verb& in) {
  if (Blocks(d.state.hold)) {
    if (!in.at_once || d.state.hold.at_once) {
      return Refuse(absl::StrCat("it is held already: ", d.state.hold.text));
    }
    Hold hold = d.state.hold;
    hold.at_once = true;
    d.Emit(Held{d.now, std::move(hold)});
    return absl::OkStatus();
  }
  Hold hold{Hold::Why::paused, in.who, in.reason};
  hold.at_once = in.at_once;
  d.Emit(Held{d.now, std::move(hold)});
  return absl::OkStatus();
}

absl::Status Resume(Decision& d, const Verb& in) {
  const State& state = d.state;
  if (state.hold.why == Hold::Why::gate) {
    return Refuse(absl::StrCat("it waits at a gate (", state.hold.text, "); approve or reject it"));
  }
  if (!Blocks(state.hold)) return Refuse("it is not paused");
  if (!state.undecided.empty()) {
    return Refuse(absl::StrCat(
        "nobody can tell whether it happened: ", Describe(state, *state.undecided.begin()),
        "; retry or skip the host, or roll back"));
  }
  if (state.hold.why == Hold::Why::needs_person) {
    if (state.stopping) return Refuse("it cannot turn back; abort leaves the hosts as they are");
    if (AsksPeople(state) && state.failed_in_phase.empty()) {
      return Refuse("its gate was not passed in time; approve or reject it");
    }
  }
  Release(d, in, in.reason);
  AdvanceAll(d);
  return absl::OkStatus();
}

absl::Status Stop(Decision& d, const Verb& in, Stopping::Then then) {
  const State& state = d.state;
  const bool again = state.stopping && state.stopping->then == then && !state.stopping->automatic;
  if (again && (!in.at_once || state.stopping->at_once)) {
    return Refuse("it is stopping already; its chains are being finished");
  }
  if (Blocks(state.hold)) Release(d, in, in.reason);
  d.Emit(Stopping{d.now, then, false, in.at_once, in.who, in.reason});
  // Attempts that came due while it was held have no timer any more.
  AdvanceAll(d);
  return absl::OkStatus();
}

absl::Status Abort(Decision& d, const Verb& in) {
  if (d.state.turned_back && !in.leave_mixed) {
    return Refuse("it is rolling back; to leave hosts on different versions, say so explicitly");
  }
  return Stop(d, in, Stopping::Then::abort);
}

absl::Status RollBack(Decision& d, const Verb& in) {
  const State& state = d.state;
  if (state.turned_back) return Refuse("it is rolling back already");
  if (!state.rollback.triggers.manual)
    return Refuse("its plan allows no manual rollback; abort it");
  if (state.committed) {
    return Refuse(absl::StrCat(Describe(state, *state.committed), " cannot be undone; abort it"));
  }
  return Stop(d, in, Stopping::Then::roll_back);
}

void Answer(Decision& d, const Verb& in, std::uint16_t batch, bool approves) {
  d.Emit(GateAnswered{d.now, batch, approves, in.who, d.state.forward.batches[batch].before.role,
                      in.reason, approves ? d.now + kApprovalLasts : absl::InfiniteFuture()});
}

// Without a phase it is about the gate that is waited at and no other: a yes that comes right after
// somebody else's must not count for what comes next.
absl::StatusOr<std::uint16_t> BatchToApprove(const Decision& d, const Verb& in) {
  if (!in.phase.empty()) return ApprovalOfPhase(d.state, in.phase, d.now);
  if (WaitingGate(d.state) != nullptr) return NextBatch(d.state);
  return Refuse("it does not wait at a gate; --phase NAME says yes ahead of one");
}

// A wait ends by itself: there is nothing to say yes or no to.
absl::Status MustAsk(const Gate* gate) {
  if (gate == nullptr || gate->kind != Gate::Kind::wait) return absl::OkStatus();
  return Refuse(absl::StrCat("it waits for ", absl::FormatDuration(gate->within),
                             " and asks nobody; pause, roll back or abort it"));
}

absl::Status Approve(Decision& d, const Verb& in) {
  const Gate* waiting = WaitingGate(d.state);
  if (in.phase.empty()) SLIPWAY_RETURN_IF_ERROR(MustAsk(waiting));
  if (in.phase.empty() && waiting != nullptr && waiting->kind != Gate::Kind::approval) {
    d.Emit(GatePassed{d.now, d.state.course, NextBatch(d.state), in.who, in.reason});
    return absl::OkStatus();
  }
  SLIPWAY_ASSIGN_OR_RETURN(const std::uint16_t batch, BatchToApprove(d, in));
  SLIPWAY_RETURN_IF_ERROR(MayAnswer(d.state, batch, in.who, true, d.now));
  Answer(d, in, batch, true);
  const bool waits = waiting != nullptr && batch == NextBatch(d.state);
  if (waits && IsApproved(d.state, batch, d.now)) {
    const auto by = ApprovedBy(d.state, batch, d.now);
    d.Emit(GatePassed{d.now, d.state.course, batch, absl::StrJoin(by, " and "), ""});
  }
  return absl::OkStatus();
}

absl::Status Reject(Decision& d, const Verb& in) {
  const Gate* gate = WaitingGate(d.state);
  if (gate == nullptr) return Refuse("it does not wait at a gate");
  SLIPWAY_RETURN_IF_ERROR(MustAsk(gate));
  const bool goes_back = gate->on_timeout != Gate::OnTimeout::abort && !d.state.committed;
  if (gate->kind == Gate::Kind::approval) {
    const std::uint16_t batch = NextBatch(d.state);
    SLIPWAY_RETURN_IF_ERROR(MayAnswer(d.state, batch, in.who, false, d.now));
    Answer(d, in, batch, false);
  }
  return Stop(d, in, goes_back ? Stopping::Then::roll_back : Stopping::Then::abort);
}

absl::Status Note(Decision& d, const Verb& in) {
  if (d.state.notes.size() >= kNotesMax) {
    return Refuse(absl::StrCat("it has ", kNotesMax, " remarks already"));
  }
  d.Emit(Noted{d.now, in.who, in.reason});
  return absl::OkStatus();
}

// The host's lane in the batch that runs; nullptr when it has none.
const Lane* LaneOf(const State& state, HostIx host) {
  const auto it = state.lanes.find(host);
  return it == state.lanes.end() ? nullptr : &it->second;
}

bool HasFailed(const State& state, const Lane& lane, HostIx host) {
  const auto it = state.tasks.find(CurrentTask(lane, host));
  return it != state.tasks.end() && it->second.outcome && *it->second.outcome != Outcome::succeeded;
}

std::string BatchIsOver(const Decision& d, HostIx host) {
  return absl::StrCat(d.NameOf(host),
                      " takes no part in the batch that runs; when the rollout is "
                      "over, deploy to it with --hosts");
}

absl::Status MayRetry(const Decision& d, HostIx host) {
  const State& state = d.state;
  if (host >= state.hosts.size()) return absl::NotFoundError("no such host in this rollout");
  const Lane* lane = LaneOf(state, host);
  if (lane == nullptr || IsOver(state, *lane)) return Refuse(BatchIsOver(d, host));
  const TaskId id = CurrentTask(*lane, host);
  const auto task = state.tasks.find(id);
  if (task != state.tasks.end() && task->second.skipped) {
    return Refuse(absl::StrCat(d.NameOf(host), " was skipped; deploy to it later with --hosts"));
  }
  if (!HasFailed(state, *lane, host)) {
    return Refuse(absl::StrCat(d.NameOf(host), " has no failed step to retry"));
  }
  return absl::OkStatus();
}

absl::Status MaySkip(const Decision& d, HostIx host) {
  const State& state = d.state;
  if (host >= state.hosts.size()) return absl::NotFoundError("no such host in this rollout");
  const Lane* lane = LaneOf(state, host);
  if (lane == nullptr || IsOver(state, *lane)) return Refuse(BatchIsOver(d, host));
  if (state.open.count(CurrentTask(*lane, host)) > 0) {
    return Refuse(absl::StrCat(Describe(state, CurrentTask(*lane, host)),
                               " is running; pause, and skip the host when it is over"));
  }
  if (lane->done &&
      (!HasFailed(state, *lane, host) || state.tasks.at(CurrentTask(*lane, host)).skipped)) {
    return Refuse(absl::StrCat(d.NameOf(host), " has nothing left to skip"));
  }
  return absl::OkStatus();
}

// The hosts that the verb names, or all that it makes sense for. Refuses as a whole.
template <class May>
absl::Status FindHosts(const Decision& d, const Verb& in, const May& may, std::set<HostIx>& hosts) {
  for (const HostIx host : in.hosts) {
    if (const absl::Status verdict = may(d, host); !verdict.ok()) return verdict;
    hosts.insert(host);
  }
  if (!in.hosts.empty()) return absl::OkStatus();
  for (const auto& [host, lane] : d.state.lanes) {
    if (HasFailed(d.state, lane, host) && may(d, host).ok()) hosts.insert(host);
  }
  return hosts.empty() ? Refuse("no host has a failed or undecided step") : absl::OkStatus();
}

absl::Status Retry(Decision& d, const Verb& in) {
  if (d.state.stopping) return Refuse("it is stopping; skip the host, roll back or abort");
  std::set<HostIx> hosts;
  if (absl::Status verdict = FindHosts(d, in, MayRetry, hosts); !verdict.ok()) return verdict;
  for (const HostIx host : hosts) {
    TaskResolved resolved{d.now, CurrentTask(*LaneOf(d.state, host), host), std::nullopt, in.who,
                          in.reason};
    resolved.goes_on = true;
    d.Emit(std::move(resolved));
    Advance(d, host);
  }
  return absl::OkStatus();
}

absl::Status Skip(Decision& d, const Verb& in) {
  std::set<HostIx> hosts;
  if (absl::Status verdict = FindHosts(d, in, MaySkip, hosts); !verdict.ok()) return verdict;
  for (const HostIx host : hosts) {
    const TaskId id = CurrentTask(*LaneOf(d.state, host), host);
    TaskResolved resolved{d.now, id, d.state.tasks.at(id).outcome, in.who,
                          absl::StrCat("skipped by ", in.who, ": ", in.reason)};
    resolved.skipped = true;
    d.Emit(std::move(resolved));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status DecideVerb(Decision& d, const Verb& in) {
  if (d.state.finished) {
    return Refuse("the rollout is over; deploy again, with --hosts for some of its hosts only");
  }
  switch (in.kind) {
    case Verb::Kind::pause:
      return Pause(d, in);
    case Verb::Kind::resume:
      return Resume(d, in);
    case Verb::Kind::abort:
      return Abort(d, in);
    case Verb::Kind::retry:
      return Retry(d, in);
    case Verb::Kind::skip:
      return Skip(d, in);
    case Verb::Kind::roll_back:
      return RollBack(d, in);
    case Verb::Kind::approve:
      return Approve(d, in);
    case Verb::Kind::reject:
      return Reject(d, in);
    case Verb::Kind::note:
      return Note(d, in);
  }
  return absl::InvalidArgumentError("no such verb");
}

}  // namespace slipway::engine
