#include <utility>

#include "absl/strings/str_cat.h"
#include "common/overloaded.h"
#include "tests/sim/checkers.h"
#include "tests/sim/machine.h"
#include "tests/sim/network.h"

namespace slipway::sim {

AgentProcess::AgentProcess(Rig& rig, Machine& machine, std::uint64_t life)
    : rig_(rig), machine_(machine), life_(life), disk_(rig, machine.index(), machine.disk()) {}

bool AgentProcess::Open() {
  auto log = agent::CommandLog::Open(disk_);
  if (!log.ok()) {
    // A crash while it came up, or a full disk; anything else is our fault.
    const bool ours = absl::IsDataLoss(log.status()) && !machine_.disk().crashed();
    if (ours)
      rig_.checkers->Broken(
          "I1", absl::StrCat("log of ", machine_.id().text, ": ", log.status().message()));
    return false;
  }
  log_ = *std::move(log);
  const auto records = log_->Replay();
  if (!records.ok()) return false;
  rig_.checkers->OnAgentRecovered(machine_.index(), *records);
  auto runner = agent::TaskRunner::Open(machine_.id(), machine_.boot_id(), *log_, *this, *this);
  if (!runner.ok()) return false;
  runner_ = *std::move(runner);
  rig_.checkers->OnAgentPumped(machine_.index(), runner_->state(), log_->size());
  return true;
}

void AgentProcess::Receive(const Command& command) {
  if (nonce_.empty()) return;
  rig_.checkers->OnDelivered(machine_.index(), command);
  const bool known = runner_ && runner_->state().entries.contains(command.id);
  if (known) rig_.coverage.Hit(Rare::command_came_twice);
  if (known && rig_.mutant == Mutant::agent_forgets_dedupe) machine_.StartChild(command, life_);
  Command taken = command;
  if (rig_.mutant == Mutant::agent_ignores_fence) ApplyMutant(taken);
  Feed(agent::Received{std::move(taken), nonce_});
}

// Pretends that every command comes from the newest controller at its newest record.
void AgentProcess::ApplyMutant(Command& command) {
  const auto seen = runner_->state().witness.find(command.id.rollout);
  if (seen == runner_->state().witness.end()) return;
  const Fence& highest = seen->second;
  if (command.fence.epoch < highest.epoch || command.fence.sequence < highest.sequence) {
    command.fence = highest;
  }
}

void AgentProcess::Feed(agent::Input input) {
  const auto* closed = std::get_if<agent::RolloutClosed>(&input);
  if (closed != nullptr && runner_->state().current &&
      runner_->state().current->rollout == closed->rollout) {
    rig_.coverage.Hit(Rare::command_outlived_rollout);
  }
  if (const auto* ended = std::get_if<agent::Ended>(&input);
      ended != nullptr && rig_.mutant == Mutant::agent_answers_before_durable) {
    Answered(ended->answer);
  }
  inbox_.push_back(std::move(input));
  if (std::exchange(pump_is_due_, true)) return;
  const absl::Duration soon = rig_.dice.Between(absl::Microseconds(50), absl::Milliseconds(4));
  rig_.timeline.After(pause_ + soon, [this, &machine = machine_, life = life_] {
    AgentProcess* alive = machine.agent();
    if (alive != nullptr && alive->life() == life) Pump();
  });
}

void AgentProcess::Pump() {
  pump_is_due_ = false;
  const std::vector<agent::Input> inputs = std::exchange(inbox_, {});
  if (const absl::Status pumped = runner_->Pump(inputs); !pumped.ok()) {
    return machine_.AgentEnded();  // `this` is gone
  }
  rig_.checkers->OnAgentPumped(machine_.index(), runner_->state(), log_->size());
}

void AgentProcess::Connected(std::string nonce) {
  nonce_ = std::move(nonce);
  runner_->Connected();
  rig_.network->SendUp(machine_.index(), Sighting{machine_.world().Observe()});
}

void AgentProcess::Say(agent::Reply reply) {
  rig_.network->SendUp(machine_.index(), Up(std::move(reply)));
}

void AgentProcess::Accepted(const agent::Acceptance& acceptance) {
  rig_.checkers->OnAcceptanceSent(machine_.index(), acceptance.id);
  Say(acceptance);
}

void AgentProcess::Refused(const agent::Refusal& refusal) {
  using Why = agent::Refusal::Why;
  switch (refusal.why) {
    case Why::other_session:
      rig_.coverage.Hit(Rare::refused_other_session);
      break;
    case Why::stale_epoch:
      rig_.coverage.Hit(Rare::refused_stale_epoch);
      break;
    case Why::closed_rollout:
      rig_.coverage.Hit(Rare::refused_closed_rollout);
      break;
    case Why::old_attempt:
      rig_.coverage.Hit(Rare::refused_old_attempt);
      break;
    case Why::no_space:
      rig_.coverage.Hit(Rare::refused_no_space);
      break;
    case Why::wrong_host:
    case Why::unknown_direction:
    case Why::other_holder:
    case Why::epoch_jump:
    case Why::overloaded:
      rig_.checkers->Broken("I5",
                            absl::StrCat("refused for a reason that cannot be: ", refusal.text));
  }
  Say(refusal);
}

void AgentProcess::Answered(const Answer& answer) {
  Answer said = answer;
  if (rig_.mutant == Mutant::agent_changes_its_answer) absl::StrAppend(&said.message, life_);
  rig_.checkers->OnAnswerSent(machine_.index(), said);
  Say(said);
}

void AgentProcess::Start(const Command& command) {
  machine_.StartChild(command, life_);
}

void AgentProcess::Probe(const Command& command, bool) {
  if (rig_.mutant == Mutant::agent_runs_again_after_restart) {
    return machine_.StartChild(command, life_);
  }
  const absl::Duration soon = rig_.dice.Between(absl::Milliseconds(1), absl::Seconds(2));
  rig_.timeline.After(
      soon, [&machine = machine_, command, life = life_] { machine.ProbeChild(command, life); });
}

void AgentProcess::Cancel(const CommandId& id) {
  machine_.CancelChild(id);
}

}  // namespace slipway::sim
