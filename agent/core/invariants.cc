#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "agent/core/core.h"
#include "agent/core/questions.h"

namespace slipway::agent {
namespace {

using Phase = Entry::Phase;

std::string BrokenEntry(const State& state, const CommandId& id, const Entry& entry) {
  if (entry.command.id != id) return "stands under another id";
  const bool is_current = state.current == id;
  const auto waiting = std::count(state.waiting.begin(), state.waiting.end(), id);
  const auto outgoing = std::count(state.outbox.begin(), state.outbox.end(), id);
  if ((entry.phase == Phase::waiting ? 1 : 0) != waiting) return "waits and its phase differ";
  if ((entry.phase == Phase::ended ? 1 : 0) != outgoing) return "outbox and its phase differ";
  if ((entry.phase == Phase::running || entry.phase == Phase::probing) != is_current) {
    return "runs and is not the current command, or the other way round";
  }
  const bool over = entry.phase == Phase::ended || entry.phase == Phase::acknowledged;
  if (over && entry.answer.id != id) return "has the answer of another command";
  if (IsClosed(state, id.rollout) && !is_current) return "is remembered after its rollout closed";
  const auto seen = state.witness.find(id.rollout);
  if (!IsClosed(state, id.rollout) &&
      (seen == state.witness.end() || seen->second.epoch < entry.command.fence.epoch)) {
    return "came under an epoch above the highest seen";
  }
  return "";
}

}  // namespace

std::string BrokenInvariant(const State& state) {
  for (const auto& [id, entry] : state.entries) {
    const std::string broken = BrokenEntry(state, id, entry);
    if (!broken.empty()) return absl::StrCat(ToString(id), " ", broken);
  }
  if (state.current && !state.entries.contains(*state.current)) {
    return absl::StrCat(ToString(*state.current), " is current and not remembered");
  }
  if (!state.current && !state.waiting.empty()) return "commands wait and nothing runs";
  const auto unknown = [&](const CommandId& id) { return !state.entries.contains(id); };
  if (std::any_of(state.waiting.begin(), state.waiting.end(), unknown) ||
      std::any_of(state.outbox.begin(), state.outbox.end(), unknown)) {
    return "a queue names a command that is not remembered";
  }
  if (state.closed.size() > kTombstonesMax) return "too many tombstones";
  if (state.waiting.size() > kWaitingMax) return "too many commands wait";
  if (state.entries.size() > kEntriesMax) return "too many commands are remembered";
  return "";
}

}  // namespace slipway::agent
