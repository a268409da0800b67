#include "controller/engine/approvals.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "controller/engine/lane.h"

namespace slipway::engine {
namespace {

// `who` is a certificate's URI, whose last part is the name; within one installation all operators
// have the same URI before it.
bool Is(const std::string& who, const std::string& person) {
  if (who == person) return true;
  const std::size_t slash = who.rfind('/');
  return slash != std::string::npos && who.compare(slash + 1, std::string::npos, person) == 0;
}

bool HasRole(const Gate& gate, const std::string& who) {
  return gate.people.empty() || std::any_of(gate.people.begin(), gate.people.end(),
                                            [&](const auto& person) { return Is(who, person); });
}

bool Has(const std::vector<std::string>& people, const std::string& who) {
  return std::find(people.begin(), people.end(), who) != people.end();
}

}  // namespace

const Gate* WaitingGate(const State& state) {
  const bool reached = state.gate_since != absl::InfinitePast() && !state.gate_open;
  if (!reached || state.stopping || state.finished) return nullptr;
  return &CurrentSchedule(state).batches[NextBatch(state)].before;
}

bool AsksPeople(const State& state) {
  const bool reached = state.gate_since != absl::InfinitePast() && !state.gate_open;
  return reached &&
         CurrentSchedule(state).batches[NextBatch(state)].before.kind != Gate::Kind::wait;
}

std::size_t ApproversOf(const Gate& gate, const std::string& started_by) {
  if (gate.people.empty()) return std::numeric_limits<std::size_t>::max();
  return static_cast<std::size_t>(
      std::count_if(gate.people.begin(), gate.people.end(),
                    [&](const auto& person) { return !Is(started_by, person); }));
}

std::vector<std::string> ApprovedBy(const State& state, std::uint16_t batch, Time now) {
  std::vector<std::string> people;
  const auto answers = state.answers.find(batch);
  if (answers == state.answers.end()) return people;
  for (const GateAnswered& answer : answers->second) {
    const bool counts = answer.approves && now < answer.until;
    if (counts && !Has(people, answer.who)) people.push_back(answer.who);
  }
  return people;
}

absl::Status MayAnswer(const State& state, std::uint16_t batch, const std::string& who,
                       bool approves, Time now) {
  const Gate& gate = state.forward.batches[batch].before;
  if (!HasRole(gate, who)) {
    return absl::PermissionDeniedError(absl::StrCat(
        "role ", gate.role, " answers here (", absl::StrJoin(gate.people, ", "), "), not ", who));
  }
  if (!approves) return absl::OkStatus();
  if (!state.started_by.empty() && who == state.started_by) {
    return absl::PermissionDeniedError(
        absl::StrCat(who, " started this rollout and cannot approve it; another person of role ",
                     gate.role, " can"));
  }
  if (Has(ApprovedBy(state, batch, now), who)) {
    return absl::FailedPreconditionError("you have approved it already; it takes another person");
  }
  return absl::OkStatus();
}

bool IsApproved(const State& state, std::uint16_t batch, Time now) {
  const auto enough = static_cast<std::size_t>(state.forward.batches[batch].before.approvals);
  return ApprovedBy(state, batch, now).size() >= enough;
}

absl::StatusOr<std::uint16_t> ApprovalOfPhase(const State& state, const std::string& phase,
                                              Time now) {
  const Schedule& schedule = state.forward;
  const auto found =
      std::find_if(schedule.batches.begin(), schedule.batches.end(), [&](const auto& b) {
        return b.before.kind == Gate::Kind::approval && schedule.phases[b.phase].name == phase;
      });
  if (found == schedule.batches.end()) {
    return absl::FailedPreconditionError(absl::StrCat("phase `", phase, "` asks for no approval"));
  }
  const auto batch = static_cast<std::uint16_t>(found - schedule.batches.begin());
  const bool ahead = !state.turned_back && !state.stopping && batch >= NextBatch(state);
  const bool passed = batch == NextBatch(state) && state.gate_open;
  if (!ahead || passed || IsApproved(state, batch, now)) {
    return absl::FailedPreconditionError(
        absl::StrCat("the first approval of phase `", phase,
                     "` is not missing; without --phase a yes is for what it waits at"));
  }
  return batch;
}

}  // namespace slipway::engine
