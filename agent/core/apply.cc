#include <algorithm>

#include "agent/core/core.h"
#include "agent/core/questions.h"
#include "common/overloaded.h"

namespace slipway::agent {
namespace {

using Phase = Entry::Phase;

// (epoch, holder) and (sequence, head) rise on their own: a newer controller may stand behind an
// older event, and the witness is worth most where it saw more than the controller remembers.
void Raise(Fence& seen, const Fence& fence) {
  if (fence.epoch > seen.epoch) {
    seen.epoch = fence.epoch;
    seen.holder = fence.holder;
  }
  if (fence.sequence > seen.sequence) {
    seen.sequence = fence.sequence;
    seen.head = fence.head;
  }
}

void Begin(State& state, const CommandId& id) {
  Entry& entry = state.entries[id];
  entry.phase = Phase::running;
  entry.boot_id = state.boot_id;
  std::erase(state.waiting, id);
  state.current = id;
}

void Finish(State& state, const Answer& answer) {
  if (state.current == answer.id) state.current.reset();
  std::erase(state.waiting, answer.id);
  if (IsClosed(state, answer.id.rollout)) {
    state.entries.erase(answer.id);
    return;
  }
  Entry& entry = state.entries[answer.id];
  entry.phase = Phase::ended;
  entry.answer = answer;
  entry.command.payload.clear();
  entry.command.vars.clear();
  state.outbox.push_back(answer.id);
}

void Close(State& state, const RolloutId& rollout) {
  state.closed.push_back(rollout);
  if (state.closed.size() > kTombstonesMax) state.closed.pop_front();
  state.witness.erase(rollout);
  const auto of_rollout = [&](const CommandId& id) { return id.rollout == rollout; };
  std::erase_if(state.waiting, of_rollout);
  std::erase_if(state.outbox, of_rollout);
  // What runs goes on to its end; only then is it forgotten.
  std::erase_if(state.entries, [&](const auto& item) {
    return of_rollout(item.first) && state.current != item.first;
  });
}

}  // namespace

void Apply(State& state, const Record& record) {
  std::visit(Overloaded{
                 [&](const Booted& r) {
                   state.boot_id = r.boot_id;
                   if (state.current) state.entries[*state.current].phase = Phase::probing;
                 },
                 [&](const Accepted& r) {
                   state.entries[r.command.id].command = r.command;
                   const auto known =
                       std::find(state.waiting.begin(), state.waiting.end(), r.command.id);
                   if (known == state.waiting.end()) state.waiting.push_back(r.command.id);
                   Raise(state.witness[r.command.id.rollout], r.command.fence);
                 },
                 [&](const Started& r) { Begin(state, r.id); },
                 [&](const Adopted& r) { Begin(state, r.id); },
                 [&](const Answered& r) { Finish(state, r.answer); },
                 [&](const Acked& r) {
                   std::erase(state.outbox, r.id);
                   const auto it = state.entries.find(r.id);
                   if (it != state.entries.end()) it->second.phase = Phase::acknowledged;
                 },
                 [&](const Closed& r) { Close(state, r.rollout); },
                 [&](const Fenced& r) { Raise(state.witness[r.rollout], r.fence); },
             },
             record);
}

}  // namespace slipway::agent
