// What always holds, whatever was decided. A broken one halts its rollout, never the process.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/overloaded.h"
#include "controller/engine/engine.h"
#include "controller/engine/lane.h"

namespace slipway::engine {
namespace {

// The task and the host's lane, looked at on their own: O(log n).
std::string BrokenTask(const State& state, const TaskId& id) {
  const auto it = state.tasks.find(id);
  if (it == state.tasks.end()) return "a task that is not recorded";
  const Task& task = it->second;
  const bool open = state.open.count(id) > 0;
  const std::string name = Describe(state, id);
  if (open && task.outcome) return absl::StrCat(name, " is open and has an outcome");
  if (open && task.attempt < 1) return absl::StrCat(name, " is open and was never issued");
  if (state.undecided.count(id) > 0 && task.outcome != Outcome::unknown) {
    return absl::StrCat(name, " is undecided and its outcome is known");
  }
  if (state.turned_back && open && id.course != Course::backward) {
    return absl::StrCat(name, " is open although the rollout turned back");
  }
  if (!open) return "";
  const Lane* lane = LaneAt(state, id);
  if (lane == nullptr) return absl::StrCat(name, " is open and its host does something else");
  if (lane->done) return absl::StrCat(name, " is open and its host's chain is done");
  return "";
}

std::string BrokenLane(const State& state, HostIx host, const Lane& lane) {
  const std::string& name = state.hosts[host].id.text;
  if (lane.batch != state.batch) return absl::StrCat(name, " runs a batch that is not entered");
  const Course course = lane.course == Course::undo_one ? Course::forward : lane.course;
  if (course != state.course) return absl::StrCat(name, " runs on another course than its rollout");
  if (lane.done) return "";
  if (state.out.count(host) > 0 && lane.course != Course::undo_one) {
    return absl::StrCat(name, " is out and its chain goes on");
  }
  const TaskId id = CurrentTask(lane, host);
  const auto task = state.tasks.find(id);
  if (task == state.tasks.end()) return absl::StrCat(name, " stands before a task not recorded");
  if (task->second.outcome) {
    const bool stuck = task->second.outcome == Outcome::unknown && state.undecided.count(id) > 0;
    return stuck ? "" : absl::StrCat(name, " stands at a step that is over");
  }
  const bool timed = state.timers.count({task->second.give_up_at, id}) > 0;
  const bool stands_still = IsSuspended(state, lane, state.open.count(id) > 0);
  if (!timed && !stands_still) return absl::StrCat(name, " waits without a limit");
  if (timed && stands_still) return absl::StrCat(name, " is held and its time runs");
  return "";
}

// Questions that cost nothing to ask.
std::string BrokenWhole(const State& state) {
  if (state.in_chain > state.unfinished) return "more chains are disrupted than are unfinished";
  if (state.finished && !state.open.empty()) return "it is over and a task is open";
  if (state.finished && !state.timers.empty()) return "it is over and a timer runs";
  if (state.turned_back && state.course != Course::backward)
    return "it turned back and goes forward";
  if (!state.undecided.empty() && !state.finished && state.hold.why != Hold::Why::needs_person) {
    return "a task is undecided and nobody is called";
  }
  const bool answered = state.stopping || state.turned_back || state.finished ||
                        state.hold.why == Hold::Why::needs_person;
  if (!answered && state.failed_in_phase.size() > static_cast<std::size_t>(MaxFailed(state))) {
    return "more hosts failed than the phase allows, and it goes on";
  }
  return "";
}

// Whoever passed an approval gate: enough people of the role, and not who started the rollout.
std::string BrokenGate(const State& state, const GatePassed& e) {
  if (e.course != Course::forward) return "";
  const Gate& gate = state.forward.batches[e.batch].before;
  if (gate.kind != Gate::Kind::approval) return "";
  const std::vector<std::string> people = ApprovedBy(state, e.batch, e.at);
  if (people.size() < static_cast<std::size_t>(gate.approvals)) {
    return "a gate was passed with too few approvals";
  }
  const bool own = !state.started_by.empty() &&
                   std::find(people.begin(), people.end(), state.started_by) != people.end();
  return own ? absl::StrCat(state.started_by, " approved what they started") : "";
}

std::string BrokenCounters(const State& state) {
  std::size_t unfinished = 0, in_chain = 0;
  for (const auto& [host, lane] : state.lanes) {
    if (lane.done) continue;
    ++unfinished;
    if (lane.disrupted) ++in_chain;
  }
  if (unfinished != state.unfinished) {
    return absl::StrCat(state.unfinished, " chains are counted as unfinished, but ", unfinished,
                        " are");
  }
  if (in_chain != state.in_chain) {
    return absl::StrCat(state.in_chain, " chains are counted as disrupted, but ", in_chain, " are");
  }
  std::set<std::string> names;
  for (const Target& target : state.hosts) {
    if (!names.insert(target.id.text).second)
      return absl::StrCat(target.id.text, " is there twice");
  }
  return "";
}

std::string BrokenTimers(const State& state) {
  for (const auto& [at, id] : state.timers) {
    const auto task = state.tasks.find(id);
    if (task == state.tasks.end() || task->second.outcome) return "a timer of a task that is over";
    if (at != task->second.give_up_at && at != task->second.not_before) {
      return absl::StrCat(Describe(state, id), " has a timer that it does not know");
    }
  }
  return "";
}

}  // namespace

std::string BrokenInvariant(const State& state) {
  if (std::string broken = BrokenWhole(state); !broken.empty()) return broken;
  if (std::string broken = BrokenCounters(state); !broken.empty()) return broken;
  if (std::string broken = BrokenTimers(state); !broken.empty()) return broken;
  std::set<HostIx> busy;
  for (const TaskId& id : state.open) {
    if (!busy.insert(id.host).second) {
      return absl::StrCat(state.hosts[id.host].id.text, " has two tasks open");
    }
    if (state.tasks.count(id) == 0) return "a task is open and not recorded";
  }
  for (const auto& [id, task] : state.tasks) {
    if (std::string broken = BrokenTask(state, id); !broken.empty()) return broken;
  }
  if (state.finished) return "";
  for (const auto& [host, lane] : state.lanes) {
    if (std::string broken = BrokenLane(state, host, lane); !broken.empty()) return broken;
  }
  return "";
}

std::string BrokenInvariant(const State& state, const Event& event) {
  const auto task = [&](const TaskId& id) {
    std::string broken = BrokenTask(state, id);
    const auto lane = state.lanes.find(id.host);
    if (broken.empty() && lane != state.lanes.end() && !state.finished) {
      broken = BrokenLane(state, id.host, lane->second);
    }
    return broken;
  };
  std::string broken = std::visit(Overloaded{
                                      [&](const TaskIssued& e) { return task(e.task); },
                                      [&](const TaskEnded& e) { return task(e.task); },
                                      [&](const TaskResolved& e) { return task(e.task); },
                                      [](const Planned&) { return std::string(); },
                                      [](const BatchEntered&) { return std::string(); },
                                      [](const HostTripped&) { return std::string(); },
                                      [](const HostTurnedBack&) { return std::string(); },
                                      [&](const GatePassed& e) { return BrokenGate(state, e); },
                                      [](const Held&) { return std::string(); },
                                      [](const Released&) { return std::string(); },
                                      [](const Stopping&) { return std::string(); },
                                      [](const TurnedBack&) { return std::string(); },
                                      [](const HostSeen&) { return std::string(); },
                                      [](const GateAnswered&) { return std::string(); },
                                      [](const Noted&) { return std::string(); },
                                      [](const Finished&) { return std::string(); },
                                  },
                                  event);
  return broken;
}

}  // namespace slipway::engine
