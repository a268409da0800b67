// The only writer of State. Each function takes an event for what it is, a fact: whether it
// should have happened was Decide's business.
#include <utility>

#include "absl/strings/str_cat.h"
#include "controller/engine/engine.h"
#include "controller/engine/lane.h"

namespace slipway::engine {
namespace {

void Disarm(State& state, const TaskId& id, const Task& task) {
  state.timers.erase({task.give_up_at, id});
  if (task.not_before != absl::InfinitePast()) state.timers.erase({task.not_before, id});
}

void Arm(State& state, const Lane& lane, const TaskId& id, const Task& task) {
  const bool open = state.open.count(id) > 0;
  if (task.outcome || IsSuspended(state, lane, open)) return;
  state.timers.insert({task.give_up_at, id});
  if (!open && task.not_before > state.now) state.timers.insert({task.not_before, id});
}

// The lane's next step is pending from now on.
void MakePending(State& state, HostIx host, Lane& lane, Time from) {
  const TaskId id = CurrentTask(lane, host);
  Task& task = state.tasks[id];
  lane.ready_since = from;
  task.not_before = from > state.now ? from : absl::InfinitePast();
  task.give_up_at = from + AttachLimit(StepOf(state, id));
  Arm(state, lane, id, task);
}

void Finish(State& state, Lane& lane) {
  if (lane.done) return;
  lane.done = true;
  lane.urged = false;
  --state.unfinished;
  if (lane.disrupted) --state.in_chain;
}

void Reopen(State& state, Lane& lane) {
  if (!lane.done) return;
  lane.done = false;
  ++state.unfinished;
  if (lane.disrupted) ++state.in_chain;
}

void MarkDisrupted(State& state, Lane& lane) {
  if (lane.disrupted) return;
  lane.disrupted = true;
  if (!lane.done) ++state.in_chain;
}

void MoveOn(State& state, HostIx host, Lane& lane) {
  if (lane.course == Course::undo_one) {
    const auto next = NextUndo(state, lane, host, lane.next);
    if (!next) {
      state.undone.insert({lane.batch, host});
      return Finish(state, lane);
    }
    lane.next = *next;
  } else {
    ++lane.next;
    if (lane.next >= BatchOf(state, lane.course, lane.batch).steps.size()) {
      return Finish(state, lane);
    }
  }
  MakePending(state, host, lane, state.now);
}

std::string Why(const State& state, const TaskId& id, absl::string_view message) {
  std::string why = Describe(state, id);
  if (!message.empty()) absl::StrAppend(&why, ": ", message);
  return why;
}

// The host's chain ended badly.
void Drop(State& state, const TaskId& id, Lane& lane, bool counted) {
  const Task& task = state.tasks[id];
  Finish(state, lane);
  state.out[id.host] = {task.outcome, Why(state, id, task.message)};
  if (id.course == Course::forward && counted) state.failed_in_phase.insert(id.host);
}

// Timers after a hold or a stop: those of chains that do not go on stand still.
void Rearm(State& state) {
  state.timers.clear();
  for (const auto& [host, lane] : state.lanes) {
    if (lane.done) continue;
    const TaskId id = CurrentTask(lane, host);
    Arm(state, lane, id, state.tasks[id]);
  }
}

void On(State& state, const Planned& e) {
  state.hosts = e.hosts;
  state.forward = e.forward;
  state.rollback = e.rollback;
  state.before = e.before;
  state.description = e.description;
  state.started_by = e.started_by;
  state.touched.assign(e.hosts.size(), false);
  for (Step step : e.forward.steps) {
    step.direction = step.traits.undo == Undo::built_in ? Direction::undo : Direction::previous;
    step.traits.unreachable = Unreachable::fail;
    state.undo_steps.push_back(std::move(step));
  }
}

void On(State& state, const BatchEntered& e) {
  const Schedule& schedule = CurrentSchedule(state);
  const Batch& batch = schedule.batches[e.batch];
  const bool same_phase = state.entered && schedule.batches[state.batch].phase == batch.phase;
  if (!same_phase) state.failed_in_phase.clear();
  state.batch = e.batch;
  state.entered = true;
  state.gate_since = absl::InfinitePast();
  state.gate_open = false;
  state.lanes.clear();
  for (const Chain& chain : batch.hosts) {
    if (state.out.count(chain.host) > 0) continue;
    Lane& lane = state.lanes[chain.host];
    lane.course = e.course;
    lane.batch = e.batch;
    lane.next = chain.first;
    lane.done = chain.first >= batch.steps.size();
    if (lane.done) continue;
    ++state.unfinished;
    MakePending(state, chain.host, lane, e.at);
  }
}

void On(State& state, const TaskIssued& e) {
  Lane& lane = state.lanes[e.task.host];
  Task& task = state.tasks[e.task];
  const Step& step = StepOf(state, e.task);
  const bool forward = e.task.course == Course::forward;
  Disarm(state, e.task, task);
  task.attempt = e.attempt;
  task.resolvable = false;
  if (task.first_issued_at == absl::InfinitePast()) task.first_issued_at = e.at;
  task.not_before = absl::InfinitePast();
  task.give_up_at = e.at + step.traits.timeout + kGrace;
  state.open.insert(e.task);
  if (forward && e.task.step >= lane.reached) {
    lane.reached = static_cast<std::uint16_t>(e.task.step + 1);
  }
  // On the way back every step is one that somebody waits for: a chain once begun is finished.
  if (!forward || step.traits.disruptive) MarkDisrupted(state, lane);
  if (step.traits.disruptive || step.traits.undo != Undo::not_needed) {
    state.touched[e.task.host] = true;
  }
  if (forward && step.traits.undo == Undo::impossible && !state.committed) state.committed = e.task;
  Arm(state, lane, e.task, task);
}

void On(State& state, const TaskEnded& e) {
  Lane& lane = state.lanes[e.task.host];
  Task& task = state.tasks[e.task];
  Disarm(state, e.task, task);
  state.open.erase(e.task);
  task.message = e.message;
  task.excerpt = e.excerpt;
  // What was never answered, or was cut off, may still have had its effect.
  const bool decided = e.outcome == Outcome::succeeded || e.outcome == Outcome::failed;
  if (!decided && e.attempt > 0) state.unsure.insert(e.task.host);
  if (e.again_at) {
    if (e.counted) ++task.counted;
    return MakePending(state, e.task.host, lane, *e.again_at);
  }
  task.outcome = e.outcome;
  switch (e.outcome) {
    case Outcome::succeeded:
      return MoveOn(state, e.task.host, lane);
    case Outcome::unknown:
      task.resolvable = true;
      state.undecided.insert(e.task);
      return;
    case Outcome::unreachable:
      task.resolvable = e.attempt > 0;
      return Drop(state, e.task, lane, e.counted);
    case Outcome::failed:
    case Outcome::timed_out:
      return Drop(state, e.task, lane, e.counted);
  }
}

// The chain goes on from `e.task`, whose outcome is settled.
void GoOn(State& state, const TaskResolved& e, Lane& lane) {
  const HostIx host = e.task.host;
  Reopen(state, lane);
  if (lane.course != Course::undo_one) {
    // A host that is undone on its own has failed, whatever becomes of its undo.
    state.out.erase(host);
    state.failed_in_phase.erase(host);
  }
  if (e.outcome) return MoveOn(state, host, lane);
  lane.urged = !e.by.empty();
  MakePending(state, host, lane, e.at);
}

void On(State& state, const TaskResolved& e) {
  Task& task = state.tasks[e.task];
  const bool was_undecided = state.undecided.erase(e.task) > 0;
  const bool has_lane = LaneAt(state, e.task) != nullptr;
  task.resolvable = false;
  if (e.skipped) {
    Lane& lane = state.lanes[e.task.host];
    task.skipped = true;
    Disarm(state, e.task, task);
    Finish(state, lane);
    state.out[e.task.host] = {task.outcome, Why(state, e.task, e.text)};
    if (e.task.course == Course::forward) state.failed_in_phase.erase(e.task.host);
    return;
  }
  task.outcome = e.outcome;
  if (e.outcome) {
    task.message = e.text;
  } else {
    task.counted = 0;
    task.first_issued_at = absl::InfinitePast();
  }
  if (e.goes_on && has_lane) return GoOn(state, e, state.lanes[e.task.host]);
  if (was_undecided && has_lane) return Drop(state, e.task, state.lanes[e.task.host], true);
  // What is learnt about the way there does not explain a host that is out on the way back.
  const bool same_way = (e.task.course == Course::backward) == state.turned_back;
  const auto out = state.out.find(e.task.host);
  if (same_way && out != state.out.end()) out->second = {e.outcome, Why(state, e.task, e.text)};
}

void On(State& state, const HostTripped& e) {
  state.failed_in_phase.insert(e.host);
  state.out[e.host] = {Outcome::failed, absl::StrCat(state.hosts[e.host].id.text, ": ", e.reason)};
}

void On(State& state, const HostTurnedBack& e) {
  Lane& lane = state.lanes[e.host];
  const auto first = NextUndo(state, lane, e.host, std::nullopt);
  if (!first) return;
  lane.course = Course::undo_one;
  lane.next = *first;
  MarkDisrupted(state, lane);
  Reopen(state, lane);
  MakePending(state, e.host, lane, e.at);
}

void On(State& state, const GateAnswered& e) {
  state.answers[e.batch].push_back(e);
}

void On(State& state, const Noted& e) {
  state.notes.push_back(e);
}

void On(State& state, const GatePassed&) {
  state.gate_open = true;
  if (state.hold.why == Hold::Why::gate) state.hold = {};
}

void On(State& state, const Held& e) {
  if (e.hold.why == Hold::Why::gate) {
    if (state.gate_since == absl::InfinitePast()) state.gate_since = e.at;
    state.hold = e.hold;
    return;
  }
  const bool covers = state.hold.why == Hold::Why::paused || state.hold.why == Hold::Why::brake;
  if (e.hold.why == Hold::Why::needs_person && covers) state.beneath = state.hold;
  if (!Blocks(state.hold)) state.held_since = e.at;
  state.hold = e.hold;
  Rearm(state);
}

void On(State& state, const Released& e) {
  const Duration held = e.at - state.held_since;
  for (const auto& [host, lane] : state.lanes) {
    if (lane.done) continue;
    const TaskId id = CurrentTask(lane, host);
    Task& task = state.tasks[id];
    if (!task.outcome && IsSuspended(state, lane, state.open.count(id) > 0))
      task.give_up_at += held;
  }
  if (state.gate_since != absl::InfinitePast()) state.gate_since += held;
  if (state.turned_back) state.turned_back_at += held;
  // A person who lets it go on has taken note of what failed: counting starts again.
  const bool by_person = !e.who.empty();
  if (by_person && state.hold.why == Hold::Why::needs_person) state.failed_in_phase.clear();
  state.hold = by_person ? Hold{} : std::exchange(state.beneath, {});
  state.beneath = {};
  state.held_since = Blocks(state.hold) ? e.at : absl::InfinitePast();
  Rearm(state);
}

void On(State& state, const Stopping& e) {
  state.stopping = e;
  if (!e.automatic) {
    // The person has seen what is undecided and wants out all the same.
    for (const TaskId& id : state.undecided) {
      if (LaneAt(state, id) != nullptr) Drop(state, id, state.lanes[id.host], false);
    }
    state.undecided.clear();
  }
  Rearm(state);
}

void On(State& state, const TurnedBack& e) {
  state.course = Course::backward;
  state.backward = e.backward;
  state.turned_back = true;
  state.went_back_by_itself = state.went_back_by_itself || e.automatic;
  state.turned_back_at = e.at;
  state.batch = 0;
  state.entered = false;
  state.stopping.reset();
  state.lanes.clear();
  state.timers.clear();
  state.unfinished = state.in_chain = 0;
  state.failed_in_phase.clear();
  state.undecided.clear();
  state.out.clear();
  state.gate_since = absl::InfinitePast();
  state.gate_open = false;
  if (state.hold.why == Hold::Why::gate) state.hold = {};
}

void On(State& state, const HostSeen& e) {
  state.seen[e.host] = e.observed;
  state.unsure.erase(e.host);
}

void On(State& state, const Finished& e) {
  state.finished = e;
  state.hold = state.beneath = {};
  state.timers.clear();
}

}  // namespace

void Apply(State& state, const Event& event) {
  std::visit(
      [&](const auto& e) {
        if (e.at > state.now) state.now = e.at;
        On(state, e);
      },
      event);
}

}  // namespace slipway::engine
