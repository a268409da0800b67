#include <algorithm>
#include <utility>

#include "common/overloaded.h"
#include "controller/engine/decision.h"

namespace slipway::engine {

void Decision::Emit(Event event) {
  Apply(state, event);
  events.push_back(std::move(event));
}

absl::Status Decide(State& state, Presence& presence, const Input& input,
                    std::vector<Event>& events) {
  const Time arrived = std::visit([](const auto& in) { return in.now; }, input);
  Decision d{state, presence, std::max(arrived, state.now), events};
  presence.since = std::min(presence.since, d.now);

  const absl::Status verdict =
      std::visit(Overloaded{
                     [&](const Tick&) { return DecideTick(d), absl::OkStatus(); },
                     [&](const Attached& in) { return DecideAttached(d, in), absl::OkStatus(); },
                     [&](const Lost& in) { return DecideLost(d, in), absl::OkStatus(); },
                     [&](const Reported& in) { return DecideReported(d, in), absl::OkStatus(); },
                     [&](const Sighted& in) { return DecideSighted(d, in), absl::OkStatus(); },
                     [&](const Verb& in) { return DecideVerb(d, in); },
                     [&](const Tripped& in) { return DecideTripped(d, in), absl::OkStatus(); },
                 },
                 input);
  if (verdict.ok()) Settle(d);
  return verdict;
}

const std::set<TaskId>& Outstanding(const State& state) {
  return state.open;
}

std::optional<Time> NextWake(const State& state, const Presence& presence) {
  if (state.finished) return std::nullopt;
  // A rollout that was planned and has not begun is due at once.
  if (!state.entered && state.hold.why == Hold::Why::none && !state.stopping) return state.now;
  Time wake = presence.recheck_at;
  // Timers up to `ticked` were looked at; those still there wait for their host to attach.
  const TaskId last{Course::backward, 0xFFFF, 0xFFFF, 0xFFFFFFFF};
  const auto timer = state.timers.upper_bound({presence.ticked, last});
  if (timer != state.timers.end()) wake = std::min(wake, timer->first);
  if (state.hold.why == Hold::Why::gate && state.unfinished == 0) {
    wake = std::min(wake, state.hold.until);
  }
  if (wake == absl::InfiniteFuture()) return std::nullopt;
  return wake;
}

}  // namespace slipway::engine
