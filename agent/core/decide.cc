#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/core/core.h"
#include "agent/core/questions.h"
#include "common/overloaded.h"

namespace slipway::agent {
namespace {

using Phase = Entry::Phase;
using Why = Refusal::Why;

// One call of Decide: what it has come to so far.
class Decision {
 public:
  Decision(State& state, std::vector<Record>& records, std::vector<Reply>& replies)
      : state_(state), records_(records), replies_(replies) {}

  void On(const Restarted& in);
  void On(const Received& in);
  void On(const Ended& in);
  void On(const Probed& in);
  void On(const Acknowledged& in);
  void On(const RolloutClosed& in);

 private:
  void Happened(Record record) {
    Apply(state_, record);
    records_.push_back(std::move(record));
  }
  std::optional<Refusal> RefusalOf(const Received& in) const;
  std::optional<Refusal> RefusalOf(const Fence& fence, const CommandId& id) const;
  std::optional<Refusal> RefusalOfNew(const Command& command) const;
  void AnswerAgain(const Entry& entry, const Command& command);
  void Conclude(Answer answer);
  void ConcludeUnstarted(const CommandId& id, const char* why);
  void StartNext();

  State& state_;
  std::vector<Record>& records_;
  std::vector<Reply>& replies_;
};

Refusal Refuse(const CommandId& id, Why why, std::string text) {
  return {id, why, absl::StrCat(ToString(id), ": ", text)};
}

void Decision::On(const Restarted& in) {
  Happened(Booted{in.boot_id});
  // Accepted but never started: provably without effect. It is not started now, since the
  // controller may long have gone on without this host; if not, it issues the next attempt.
  while (!state_.waiting.empty()) {
    ConcludeUnstarted(state_.waiting.front(), "the agent restarted before it was started");
  }
}

void Decision::On(const Received& in) {
  const CommandId& id = in.command.id;
  if (auto refusal = RefusalOf(in)) {
    replies_.push_back(*std::move(refusal));
    return;
  }
  // Controllers send again whatever they have no answer to: a known id is the normal case.
  if (const auto known = state_.entries.find(id); known != state_.entries.end()) {
    AnswerAgain(known->second, in.command);
    return;
  }
  if (auto refusal = RefusalOfNew(in.command)) {
    replies_.push_back(*std::move(refusal));
    return;
  }
  Happened(Accepted{in.command});
  replies_.push_back(Acceptance{id});
  StartNext();
}

std::optional<Refusal> Decision::RefusalOf(const Received& in) const {
  const CommandId& id = in.command.id;
  if (id.host != state_.host) {
    return Refuse(id, Why::wrong_host, absl::StrCat("this agent is ", state_.host.text));
  }
  if (in.command.nonce != in.nonce) {
    return Refuse(id, Why::other_session, "sent for an earlier session; send it again on this one");
  }
  switch (in.command.direction) {
    case Direction::apply:
    case Direction::undo:
    case Direction::previous:
      break;
    default:  // read from the wire: a newer controller may know more
      return Refuse(id, Why::unknown_direction,
                    absl::StrCat("direction ", static_cast<int>(in.command.direction),
                                 " is not known to this agent; upgrade it"));
  }
  if (IsClosed(state_, id.rollout)) {
    return Refuse(id, Why::closed_rollout, "the rollout is closed");
  }
  return RefusalOf(in.command.fence, id);
}

std::optional<Refusal> Decision::RefusalOf(const Fence& fence, const CommandId& id) const {
  const auto it = state_.witness.find(id.rollout);
  const Fence seen = it == state_.witness.end() ? Fence{} : it->second;
  if (fence.epoch < seen.epoch) {
    return Refuse(id, Why::stale_epoch,
                  absl::StrCat("epoch ", fence.epoch, " is older than ", seen.epoch,
                               "; another controller took the rollout over"));
  }
  if (fence.epoch == seen.epoch && fence.holder != seen.holder) {
    return Refuse(id, Why::other_holder,
                  absl::StrCat("epoch ", fence.epoch, " belongs to ", seen.holder, ", not ",
                               fence.holder, "; the journal's epochs went back, reconcile first"));
  }
  if (fence.epoch - seen.epoch > kEpochJumpMax) {
    return Refuse(id, Why::epoch_jump,
                  absl::StrCat("epoch ", fence.epoch, " is more than ", kEpochJumpMax, " ahead of ",
                               seen.epoch));
  }
  return std::nullopt;
}

std::optional<Refusal> Decision::RefusalOfNew(const Command& command) const {
  const CommandId& id = command.id;
  if (const Entry* latest = LatestAttempt(state_, id);
      latest != nullptr && latest->command.id.attempt > id.attempt) {
    return Refuse(id, Why::old_attempt,
                  absl::StrCat("attempt ", latest->command.id.attempt, " is already known"));
  }
  // A controller sends from where its journal stands. A command from further back was overtaken
  // on its way (its step may long be undone), or the journal itself went back.
  const auto seen = state_.witness.find(id.rollout);
  if (seen != state_.witness.end() && command.fence.sequence < seen->second.sequence) {
    return Refuse(
        id, Why::old_attempt,
        absl::StrCat("sent at record ", command.fence.sequence, ", and commands up to record ",
                     seen->second.sequence, " have been seen"));
  }
  if (state_.waiting.size() >= kWaitingMax || state_.entries.size() >= kEntriesMax) {
    return Refuse(id, Why::overloaded,
                  absl::StrCat(state_.waiting.size(), " commands wait and ", state_.entries.size(),
                               " are remembered; close rollouts that are over"));
  }
  return std::nullopt;
}

void Decision::AnswerAgain(const Entry& entry, const Command& command) {
  const CommandId id = command.id;
  const bool taken_over = command.fence.epoch > state_.witness[id.rollout].epoch;
  if (entry.phase == Phase::waiting && command.fence.epoch > entry.command.fence.epoch) {
    Happened(Accepted{command});  // the newer controller wants it too
  } else if (taken_over) {
    Happened(Fenced{id.rollout, command.fence});
  }
  const bool over = entry.phase == Phase::ended || entry.phase == Phase::acknowledged;
  if (over) {
    replies_.push_back(entry.answer);
  } else {
    replies_.push_back(Acceptance{id});
  }
}

void Decision::On(const Ended& in) {
  const Command* running = ToRun(state_);
  if (running == nullptr || running->id != in.answer.id) return;  // told twice
  Conclude(in.answer);
  StartNext();
}

void Decision::On(const Probed& in) {
  const Command* asked = ToProbe(state_).command;
  if (asked == nullptr || asked->id != in.answer.id) return;  // told twice
  if (in.still_running) {
    Happened(Adopted{in.answer.id});
    return;
  }
  Conclude(in.answer);
  StartNext();
}

void Decision::On(const Acknowledged& in) {
  const auto it = state_.entries.find(in.id);
  if (it != state_.entries.end() && it->second.phase == Phase::ended) Happened(Acked{in.id});
}

void Decision::On(const RolloutClosed& in) {
  if (!IsClosed(state_, in.rollout)) Happened(Closed{in.rollout});
}

void Decision::Conclude(Answer answer) {
  const bool wanted = !IsClosed(state_, answer.id.rollout);
  Happened(Answered{answer});
  if (wanted) replies_.push_back(std::move(answer));
}

// Accepted and provably without effect.
void Decision::ConcludeUnstarted(const CommandId& id, const char* why) {
  Answer answer;
  answer.id = id;
  answer.verdict = Verdict::not_applied;
  answer.message = why;
  Conclude(std::move(answer));
}

void Decision::StartNext() {
  while (!state_.current && !state_.waiting.empty()) {
    const CommandId id = state_.waiting.front();
    if (const Entry* done = EarlierSuccess(state_, id)) {
      // A person had it tried again before the answer came: the effect is there already.
      Answer answer = done->answer;
      answer.message = absl::StrCat("attempt ", answer.id.attempt, " succeeded: ", answer.message);
      answer.id = id;
      Conclude(std::move(answer));
    } else if (state_.entries.at(id).command.fence.epoch < state_.witness[id.rollout].epoch) {
      ConcludeUnstarted(id, "a newer controller took over and did not ask for it");
    } else {
      Happened(Started{id});
    }
  }
}

}  // namespace

void Decide(State& state, const Input& input, std::vector<Record>& records,
            std::vector<Reply>& replies) {
  Decision decision(state, records, replies);
  std::visit([&](const auto& in) { decision.On(in); }, input);
}

std::string_view ToString(Refusal::Why why) {
  switch (why) {
    case Why::wrong_host:
      return "wrong_host";
    case Why::other_session:
      return "other_session";
    case Why::unknown_direction:
      return "unknown_direction";
    case Why::closed_rollout:
      return "closed_rollout";
    case Why::stale_epoch:
      return "stale_epoch";
    case Why::other_holder:
      return "other_holder";
    case Why::epoch_jump:
      return "epoch_jump";
    case Why::old_attempt:
      return "old_attempt";
    case Why::overloaded:
      return "overloaded";
    case Why::no_space:
      return "no_space";
  }
  return "unknown";
}

}  // namespace slipway::agent
