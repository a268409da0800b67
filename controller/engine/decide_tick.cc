// Time: answers that never came, hosts that never attached, attempts that are due, gates.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "controller/engine/decision.h"
#include "controller/engine/lane.h"

namespace slipway::engine {
namespace {

void RecheckAt(Decision& d, Time at) {
  d.presence.recheck_at = std::min(d.presence.recheck_at, at);
}

// A host that is away gets the time that a controller needs to be found again after its
// start; one that has just attached, the time to tell what became of its task. A host that comes
// and goes all the time gets it only so often.
bool IsGraced(Decision& d, HostIx host, Time due) {
  const auto attached = d.presence.attached.find(host);
  const Time since = attached == d.presence.attached.end() ? d.presence.since : attached->second;
  const Time until = std::min(since, due + kWaitDeadlines * kGrace) + kGrace;
  if (d.now >= until) return false;
  RecheckAt(d, until);
  return true;
}

void GiveUp(Decision& d, const TaskId& id, const Task& task) {
  const Traits& traits = StepOf(d.state, id).traits;
  if (IsGraced(d, id.host, task.give_up_at)) return;
  const std::string silent =
      absl::StrCat("no answer within ", absl::FormatDuration(traits.timeout));
  if (d.IsAttached(id.host)) {
    if (traits.probe_decides) return EndFailedAttempt(d, id, Outcome::timed_out, silent, "");
    return EndTask(d, id, task.attempt, Outcome::unknown, silent, "");
  }
  if (!traits.probe_decides) {
    return EndTask(d, id, task.attempt, Outcome::unknown, absl::StrCat(silent, "; host lost"), "");
  }
  const Time limit = task.give_up_at + kWaitDeadlines * traits.deadline;
  if (traits.unreachable == Unreachable::wait && d.now < limit) return RecheckAt(d, limit);
  EndTask(d, id, task.attempt, Outcome::unreachable, absl::StrCat(silent, "; host lost"), "");
}

void OnDue(Decision& d, const TaskId& id) {
  const auto it = d.state.tasks.find(id);
  if (it == d.state.tasks.end() || it->second.outcome) return;
  const Task& task = it->second;
  if (d.state.open.count(id) > 0) {
    if (task.give_up_at <= d.now) GiveUp(d, id, task);
    return;
  }
  if (d.IsAttached(id.host)) return Advance(d, id.host);
  if (task.give_up_at > d.now || IsGraced(d, id.host, task.give_up_at)) return;
  const Duration limit = AttachLimit(StepOf(d.state, id));
  EndTask(d, id, 0, Outcome::unreachable,
          absl::StrCat("not attached for ", absl::FormatDuration(limit)), "");
}

void OnGateDue(Decision& d) {
  const State& state = d.state;
  // A host that is being undone on its own is waited for first.
  if (state.hold.why != Hold::Why::gate || state.hold.until > d.now || state.unfinished > 0) return;
  const std::uint16_t next = NextBatch(state);
  const Gate& gate = CurrentSchedule(state).batches[next].before;
  if (gate.kind == Gate::Kind::wait) {
    return d.Emit(GatePassed{d.now, state.course, next, "", "waited"});
  }
  const std::string text = absl::StrCat("gate \"", gate.text, "\" not passed within ",
                                        absl::FormatDuration(gate.within));
  switch (gate.on_timeout) {
    case Gate::OnTimeout::hold:
      return CallPerson(d, absl::StrCat(text, "; approve or reject it"));
    case Gate::OnTimeout::roll_back:
      if (state.committed) {
        return CallPerson(d, absl::StrCat(text, "; ", Describe(state, *state.committed),
                                          " cannot be undone: approve, reject or abort"));
      }
      return d.Emit(Stopping{d.now, Stopping::Then::roll_back, true, false, "", text});
    case Gate::OnTimeout::abort:
      return d.Emit(Stopping{d.now, Stopping::Then::abort, true, false, "", text});
  }
}

}  // namespace

void DecideTick(Decision& d) {
  d.presence.recheck_at = absl::InfiniteFuture();
  d.presence.ticked = std::max(d.presence.ticked, d.now);
  if (d.state.finished) return;
  std::vector<TaskId> due;
  for (const auto& [at, id] : d.state.timers) {
    if (at > d.now) break;
    due.push_back(id);
  }
  for (const TaskId& id : due) OnDue(d, id);
  OnGateDue(d);
}

}  // namespace slipway::engine
