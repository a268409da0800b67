// What hosts say: answers about attempts, sightings, sessions that come and go.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "controller/engine/decision.h"
#include "controller/engine/lane.h"

namespace slipway::engine {
namespace {

// Attempts that cost nothing are free of a pause this often; then they back off like others.
constexpr int kFreeAttempts = 3;

void Record(Decision& d, HostIx host, const Observed& observed) {
  const auto seen = d.state.seen.find(host);
  const bool is_known = seen != d.state.seen.end() && seen->second == observed;
  if (observed.empty() || (is_known && !d.state.unsure.contains(host))) return;
  d.Emit(HostSeen{d.now, host, observed});
}

// The attempt had no effect, or asks for patience: again at no cost, within `limit`.
void EndFreeAttempt(Decision& d, const Reported& in, Time again_at, Time limit) {
  if (again_at > limit) {
    const std::string message =
        absl::StrCat(in.message, in.message.empty() ? "" : "; ", "still so at the deadline");
    return EndFailedAttempt(d, in.task, Outcome::failed, message, in.excerpt);
  }
  TaskEnded ended{d.now,    in.task, in.attempt, Outcome::failed,
                  again_at, false,   in.message, in.excerpt};
  d.Emit(std::move(ended));
}

void EndAttempt(Decision& d, const Reported& in) {
  const Task& task = d.state.tasks.at(in.task);
  const Traits& traits = StepOf(d.state, in.task).traits;
  const Time since = task.first_issued_at;
  switch (in.verdict) {
    case Verdict::succeeded:
      return EndTask(d, in.task, in.attempt, Outcome::succeeded, in.message, in.excerpt);
    case Verdict::failed:
      return EndFailedAttempt(d, in.task, Outcome::failed, in.message, in.excerpt);
    case Verdict::timed_out:
      return EndFailedAttempt(d, in.task, Outcome::timed_out, in.message, in.excerpt);
    case Verdict::unknown:
      return EndTask(d, in.task, in.attempt, Outcome::unknown, in.message, in.excerpt);
    case Verdict::not_applied: {
      const Duration pause =
          in.attempt <= kFreeAttempts ? absl::ZeroDuration() : Backoff(in.attempt);
      const Duration patience = kWaitDeadlines * std::max(traits.deadline, traits.timeout);
      return EndFreeAttempt(d, in, d.now + pause, since + patience);
    }
    case Verdict::try_later:
      return EndFreeAttempt(d, in, d.now + Backoff(in.attempt), since + traits.deadline);
  }
}

// Whether the host's chain may still go on from a task that was given up: its batch is being
// run and nothing was undone meanwhile.
bool StillMatters(const State& state, const TaskId& id) {
  const Lane* lane = LaneAt(state, id);
  if (lane == nullptr || IsOver(state, *lane)) return false;
  // While the rollout stops, chains that were begun are finished, but none begins again.
  return !state.stopping || !lane->done;
}

// An answer to a task that was given up as unreachable or unknown.
void ResolveLate(Decision& d, const Reported& in) {
  TaskResolved resolved{d.now, in.task, std::nullopt, "", in.message};
  const bool matters = StillMatters(d.state, in.task);
  bool failed = false;
  switch (in.verdict) {
    case Verdict::succeeded:
      resolved.outcome = Outcome::succeeded;
      resolved.goes_on = matters;
      break;
    case Verdict::failed:
      resolved.outcome = Outcome::failed;
      failed = matters;
      break;
    case Verdict::timed_out:
      resolved.outcome = Outcome::timed_out;
      failed = matters;
      break;
    case Verdict::not_applied:
    case Verdict::try_later:
      if (!matters) resolved.outcome = Outcome::failed;
      resolved.goes_on = matters;
      break;
    case Verdict::unknown:
      return;
  }
  // Once the host went on to other tasks, what it looked like then is old news.
  if (LaneAt(d.state, in.task) != nullptr) Record(d, in.task.host, in.observed);
  d.Emit(std::move(resolved));
  if (failed && in.task.course == Course::forward) {
    AfterFailure(d, in.task.host, StepOf(d.state, in.task).traits.verifies,
                 d.state.out.at(in.task.host).why);
  }
}

bool IsDone(const State& state, HostIx host) {
  const auto lane = state.lanes.find(host);
  return lane == state.lanes.end() || lane->second.done;
}

// More than max(3, 20 %) of the hosts: the trouble is here or in the network, not on the hosts.
bool IsMassLoss(std::size_t lost, std::size_t hosts) {
  return lost > 3 && lost * 5 > hosts;
}

constexpr Duration kMassLossWindow = absl::Seconds(30);

}  // namespace

void DecideReported(Decision& d, const Reported& in) {
  if (d.state.finished) return;
  const auto it = d.state.tasks.find(in.task);
  // Agents deliver at least once: an answer to another attempt, or to one that is over, has
  // been dealt with.
  if (it == d.state.tasks.end() || in.attempt != it->second.attempt) return;
  if (d.state.open.count(in.task) > 0) {
    Record(d, in.task.host, in.observed);
    EndAttempt(d, in);
  } else if (it->second.resolvable && in.verdict != Verdict::unknown) {
    ResolveLate(d, in);
  } else {
    return;
  }
  Advance(d, in.task.host);
}

void DecideSighted(Decision& d, const Sighted& in) {
  if (d.state.finished || in.host >= d.state.hosts.size()) return;
  Record(d, in.host, in.observed);
}

void DecideTripped(Decision& d, const Tripped& in) {
  const State& state = d.state;
  if (state.finished || state.turned_back || state.stopping) return;
  if (in.host >= state.hosts.size() || !state.touched[in.host]) return;
  // In mid-chain a host is down on purpose, and one that is out has been dealt with.
  if (!IsDone(state, in.host) || state.out.count(in.host) > 0) return;
  d.Emit(HostTripped{d.now, in.host, in.reason});
  AfterFailure(d, in.host, true, d.state.out.at(in.host).why);
}

void DecideAttached(Decision& d, const Attached& in) {
  if (in.host >= d.state.hosts.size()) return;
  d.presence.attached.emplace(in.host, d.now);
  auto& lost = d.presence.lost;
  lost.erase(std::remove_if(lost.begin(), lost.end(),
                            [&](const auto& entry) { return entry.second == in.host; }),
             lost.end());
  if (d.state.finished) return;
  const auto lane = d.state.lanes.find(in.host);
  if (lane == d.state.lanes.end() || lane->second.done) return;
  const TaskId id = CurrentTask(lane->second, in.host);
  const bool overdue = d.state.open.count(id) > 0 && d.state.tasks.at(id).give_up_at <= d.now;
  if (overdue) d.presence.recheck_at = std::min(d.presence.recheck_at, d.now + kGrace);
  Advance(d, in.host);
}

void DecideLost(Decision& d, const Lost& in) {
  // Only a host that was attached to this incarnation of the controller can be lost.
  if (d.presence.attached.erase(in.host) == 0 || d.state.finished) return;
  auto& lost = d.presence.lost;
  while (!lost.empty() && lost.front().first + kMassLossWindow < d.now) lost.pop_front();
  lost.emplace_back(d.now, in.host);
  if (!IsMassLoss(lost.size(), d.state.hosts.size()) || Blocks(d.state.hold)) return;
  Hold hold{Hold::Why::brake, "", ""};
  hold.text = absl::StrCat(lost.size(), " of ", d.state.hosts.size(), " hosts lost within ",
                           absl::FormatDuration(kMassLossWindow),
                           "; look at the controller and the network, then resume");
  d.Emit(Held{d.now, std::move(hold)});
}

}  // namespace slipway::engine
