#include "controller/engine/lane.h"

#include <algorithm>

namespace slipway::engine {
namespace {

std::uint16_t FirstPosition(const Batch& batch, HostIx host) {
  const auto it = std::find_if(batch.hosts.begin(), batch.hosts.end(),
                               [host](const Chain& chain) { return chain.host == host; });
  return it == batch.hosts.end() ? 0 : it->first;
}

bool IsUndone(const Step& step) {
  return step.traits.undo == Undo::built_in;
}
bool IsCheckedAfterwards(const Step& step) {
  return step.traits.on_rollback && step.traits.undo == Undo::not_needed;
}

}  // namespace

const Batch& BatchOf(const State& state, Course course, std::uint16_t batch) {
  return course == Course::backward ? state.backward.batches[batch] : state.forward.batches[batch];
}

const Step& StepOf(const State& state, const TaskId& task) {
  const StepIx step = BatchOf(state, task.course, task.batch).steps[task.step];
  switch (task.course) {
    case Course::forward:
      return state.forward.steps[step];
    case Course::undo_one:
      return state.undo_steps[step];
    case Course::backward:
      return state.backward.steps[step];
  }
  return state.forward.steps[step];
}

TaskId CurrentTask(const Lane& lane, HostIx host) {
  return {lane.course, lane.batch, lane.next, host};
}

const Lane* LaneAt(const State& state, const TaskId& task) {
  const auto it = state.lanes.find(task.host);
  if (it == state.lanes.end() || CurrentTask(it->second, task.host) != task) return nullptr;
  return &it->second;
}

bool IsOver(const State& state, const Lane& lane) {
  return lane.done && state.gate_since != absl::InfinitePast();
}

bool Blocks(const Hold& hold) {
  switch (hold.why) {
    case Hold::Why::none:
    case Hold::Why::gate:
      return false;
    case Hold::Why::paused:
    case Hold::Why::brake:
    case Hold::Why::needs_person:
      return true;
  }
  return false;
}

bool MayIssue(const State& state, const Lane& lane) {
  if (state.finished) return false;
  if (state.stopping && (state.stopping->at_once || !lane.disrupted)) return false;
  if (!Blocks(state.hold)) return true;
  if (state.hold.at_once || state.beneath.at_once) return false;
  return lane.disrupted || (lane.urged && state.hold.why == Hold::Why::needs_person);
}

bool IsSuspended(const State& state, const Lane& lane, bool open) {
  if (state.hold.why == Hold::Why::brake || state.beneath.why == Hold::Why::brake) return true;
  return !open && !MayIssue(state, lane);
}

Duration AttachLimit(const Step& step) {
  const int deadlines = step.traits.unreachable == Unreachable::wait ? kWaitDeadlines : 1;
  return std::max(step.traits.deadline * deadlines, absl::Milliseconds(1));
}

std::optional<std::uint16_t> NextUndo(const State& state, const Lane& lane, HostIx host,
                                      std::optional<std::uint16_t> after) {
  const Batch& batch = BatchOf(state, Course::forward, lane.batch);
  const std::uint16_t first = FirstPosition(batch, host);
  const auto step_at = [&](std::size_t i) -> const Step& {
    return state.forward.steps[batch.steps[i]];
  };
  const bool checking = after && !IsUndone(step_at(*after));
  if (!checking) {
    for (std::size_t i = after ? *after : lane.reached; i > first; --i) {
      if (IsUndone(step_at(i - 1))) return static_cast<std::uint16_t>(i - 1);
    }
  }
  for (std::size_t i = checking ? *after + 1u : first; i < batch.steps.size(); ++i) {
    if (IsCheckedAfterwards(step_at(i))) return static_cast<std::uint16_t>(i);
  }
  return std::nullopt;
}

bool CanBeUndoneAlone(const State& state, const Lane& lane, HostIx host) {
  const Batch& batch = BatchOf(state, Course::forward, lane.batch);
  bool something = false;
  for (std::uint16_t i = FirstPosition(batch, host); i < lane.reached; ++i) {
    const Traits& traits = state.forward.steps[batch.steps[i]].traits;
    if (traits.undo == Undo::impossible) return false;
    if (traits.undo == Undo::built_in && traits.sweep == Sweep::restore) return false;
    something = something || traits.undo == Undo::built_in;
  }
  return something;
}

int MaxFailed(const State& state) {
  if (!state.entered || state.turned_back) return 0;
  return state.forward.phases[state.forward.batches[state.batch].phase].max_failed;
}

std::uint16_t NextBatch(const State& state) {
  return static_cast<std::uint16_t>(state.entered ? state.batch + 1 : state.batch);
}

const Schedule& CurrentSchedule(const State& state) {
  return state.turned_back ? state.backward : state.forward;
}

}  // namespace slipway::engine
