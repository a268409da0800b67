#include "agent/core/questions.h"

#include <algorithm>
#include <limits>

#include "agent/core/core.h"

namespace slipway::agent {

bool IsClosed(const State& state, const RolloutId& rollout) {
  return std::find(state.closed.begin(), state.closed.end(), rollout) != state.closed.end();
}

bool SameTask(const CommandId& a, const CommandId& b) {
  CommandId same = a;
  same.attempt = b.attempt;
  return same == b;
}

// Attempts stand last in the order of ids, so those of one task are neighbours in the map.
const Entry* LatestAttempt(const State& state, const CommandId& id) {
  CommandId beyond = id;
  beyond.attempt = std::numeric_limits<int>::max();
  auto it = state.entries.upper_bound(beyond);
  if (it == state.entries.begin()) return nullptr;
  --it;
  return SameTask(it->first, id) ? &it->second : nullptr;
}

const Entry* EarlierSuccess(const State& state, const CommandId& id) {
  for (auto it = state.entries.lower_bound(id); it != state.entries.begin();) {
    --it;
    if (!SameTask(it->first, id)) return nullptr;
    const Entry& entry = it->second;
    const bool ended =
        entry.phase == Entry::Phase::ended || entry.phase == Entry::Phase::acknowledged;
    if (ended && entry.answer.verdict == Verdict::succeeded) return &entry;
  }
  return nullptr;
}

const Command* ToRun(const State& state) {
  if (!state.current) return nullptr;
  const Entry& entry = state.entries.at(*state.current);
  return entry.phase == Entry::Phase::running ? &entry.command : nullptr;
}

ProbeRequest ToProbe(const State& state) {
  if (!state.current) return {};
  const Entry& entry = state.entries.at(*state.current);
  if (entry.phase != Entry::Phase::probing) return {};
  return {&entry.command, entry.boot_id != state.boot_id};
}

std::optional<CommandId> ToCancel(const State& state) {
  const Command* running = ToRun(state);
  if (running == nullptr || running->id.course != Course::forward) return std::nullopt;
  const bool way_back_waits =
      std::any_of(state.waiting.begin(), state.waiting.end(), [&](const CommandId& id) {
        return id.rollout == running->id.rollout && id.course != Course::forward;
      });
  return way_back_waits ? std::optional(running->id) : std::nullopt;
}

std::vector<const Answer*> Outbox(const State& state) {
  std::vector<const Answer*> answers;
  for (const CommandId& id : state.outbox) answers.push_back(&state.entries.at(id).answer);
  return answers;
}

std::vector<Witness> Witnesses(const State& state) {
  std::vector<Witness> witnesses;
  for (const auto& [rollout, fence] : state.witness) witnesses.push_back({rollout, fence});
  return witnesses;
}

}  // namespace slipway::agent
