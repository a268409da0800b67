// Questions about a host's way through its batch; asked when deciding and when applying.
// Private to the engine.
#pragma once

#include <cstdint>
#include <optional>

#include "controller/engine/engine.h"

namespace slipway::engine {

// After its timeout an agent has this long to say so; a host that has just attached, to tell
// what became of its task.
inline constexpr Duration kGrace = absl::Seconds(30);
// Unreachable::wait waits this many deadlines: every wait has a limit.
inline constexpr int kWaitDeadlines = 12;

const Batch& BatchOf(const State& state, Course course, std::uint16_t batch);

// The task that the lane runs or runs next. The lane is not done.
TaskId CurrentTask(const Lane& lane, HostIx host);

// The lane of `task`, if that is where the lane stands now (done or not); else nullptr.
const Lane* LaneAt(const State& state, const TaskId& task);

// The lane is done and the rollout has left its batch for the gate of the next one.
bool IsOver(const State& state, const Lane& lane);

// Pause, brake and needs_person stop new chains; a gate only stands before the next batch.
bool Blocks(const Hold& hold);
// Whether the lane's next step may be issued, as far as holds and stops are concerned.
bool MayIssue(const State& state, const Lane& lane);
// Whether time stands still for the lane's task: what a hold keeps from running eats no deadline.
bool IsSuspended(const State& state, const Lane& lane, bool open);

// How long a host may take to attach before its next step counts as unreachable.
Duration AttachLimit(const Step& step);

// Undoing one host on its own: positions in the forward batch in the order in which they are
// undone, then the checks. `after` empty: the first.
std::optional<std::uint16_t> NextUndo(const State& state, const Lane& lane, HostIx host,
                                      std::optional<std::uint16_t> after);
// Whether that leads anywhere: something issued can be undone, and nothing that was issued
// must stay or touches a database that others use.
bool CanBeUndoneAlone(const State& state, const Lane& lane, HostIx host);

int MaxFailed(const State& state);

// The batch after the one that runs, or the first. May be one past the end.
std::uint16_t NextBatch(const State& state);
const Schedule& CurrentSchedule(const State& state);

}  // namespace slipway::engine
