// What a failure means: another attempt, one host undone, the fleet turned back, or a person.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "controller/engine/decision.h"
#include "controller/engine/lane.h"

namespace slipway::engine {
namespace {

constexpr Duration kBackoffFirst = absl::Seconds(1);
constexpr Duration kBackoffCap = absl::Seconds(60);

const Phase& CurrentPhase(const State& state) {
  return state.forward.phases[state.forward.batches[state.batch].phase];
}

void TurnFleetBack(Decision& d, bool verifies, absl::string_view reason) {
  const Triggers& triggers = d.state.rollback.triggers;
  const bool triggered = verifies ? triggers.check_failed : triggers.step_failed;
  if (!triggered) {
    return CallPerson(d, absl::StrCat(reason, "; retry it, resume without it, or roll back"));
  }
  if (d.state.committed) {
    return CallPerson(d, absl::StrCat(reason, "; ", Describe(d.state, *d.state.committed),
                                      " cannot be undone: retry it, resume without it, or abort"));
  }
  d.Emit(Stopping{d.now, Stopping::Then::roll_back, true, false, "", std::string(reason)});
}

void UndoHostAlone(Decision& d, HostIx host) {
  const auto it = d.state.lanes.find(host);
  if (it == d.state.lanes.end() || it->second.course != Course::forward) return;
  // Nothing can be undone on a host that cannot be reached; it is named instead.
  const auto out = d.state.out.find(host);
  if (out != d.state.out.end() && out->second.outcome == Outcome::unreachable) return;
  if (!CanBeUndoneAlone(d.state, it->second, host)) return;
  d.Emit(HostTurnedBack{d.now, it->second.batch, host});
}

}  // namespace

Duration Backoff(int attempt) {
  Duration pause = kBackoffFirst;
  for (int i = 1; i < attempt && pause < kBackoffCap; ++i) pause *= 2;
  return std::min(pause, kBackoffCap);
}

void CallPerson(Decision& d, std::string text) {
  if (d.state.hold.why == Hold::Why::needs_person) return;
  d.Emit(Held{d.now, Hold{Hold::Why::needs_person, "", std::move(text)}});
}

void EndFailedAttempt(Decision& d, const TaskId& id, Outcome outcome, absl::string_view message,
                      absl::string_view excerpt) {
  const Task& task = d.state.tasks.at(id);
  if (task.counted >= StepOf(d.state, id).traits.retries) {
    return EndTask(d, id, task.attempt, outcome, message, excerpt);
  }
  d.Emit(TaskEnded{d.now, id, task.attempt, outcome, d.now + Backoff(task.counted + 1), true,
                   std::string(message), std::string(excerpt)});
}

void EndTask(Decision& d, const TaskId& id, int attempt, Outcome outcome, absl::string_view message,
             absl::string_view excerpt) {
  const Traits& traits = StepOf(d.state, id).traits;
  const bool counted = outcome != Outcome::unreachable || traits.unreachable != Unreachable::skip;
  d.Emit(TaskEnded{d.now, id, attempt, outcome, std::nullopt, counted, std::string(message),
                   std::string(excerpt)});
  switch (outcome) {
    case Outcome::succeeded:
      return Advance(d, id.host);
    case Outcome::unknown:
      return CallPerson(
          d, absl::StrCat("nobody can tell whether it happened: ", Describe(d.state, id),
                          message.empty() ? "" : ": ", message, "; retry, skip or roll back"));
    case Outcome::failed:
    case Outcome::timed_out:
    case Outcome::unreachable:
      if (id.course == Course::forward) {
        AfterFailure(d, id.host, traits.verifies, d.state.out.at(id.host).why);
      }
      return;
  }
}

void AfterFailure(Decision& d, HostIx host, bool verifies, absl::string_view reason) {
  if (d.state.stopping || d.state.turned_back) return;
  const int failed = static_cast<int>(d.state.failed_in_phase.size());
  if (failed <= CurrentPhase(d.state).max_failed) {
    UndoHostAlone(d, host);
  } else {
    TurnFleetBack(d, verifies, reason);
  }
  Advance(d, host);
}

}  // namespace slipway::engine
