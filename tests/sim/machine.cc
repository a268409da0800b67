#include "tests/sim/machine.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/sim/checkers.h"
#include "tests/sim/network.h"

namespace slipway::sim {

Machine::Machine(Rig& rig, std::size_t index, HostId id)
    : rig_(rig), index_(index), id_(std::move(id)), disk_(rig.dice.Next()) {}

void Machine::StartAgent() {
  rig_.Stir();
  disk_.Restart(false);
  rig_.Started(static_cast<int>(index_));
  agent_ = std::make_unique<AgentProcess>(rig_, *this, ++lives_);
  if (!agent_->Open()) return AgentEnded();
  rig_.network->Dial(index_);
}

void Machine::CountCrash() {
  using Crash = agent::FakeLogFile::Crash;
  if (!disk_.crash()) return;
  rig_.Strike(Fault::agent_crashed_in_write);
  switch (*disk_.crash()) {
    case Crash::before:
      return rig_.coverage.Hit(Rare::agent_crashed_before_write);
    case Crash::torn:
      return rig_.coverage.Hit(Rare::agent_crashed_in_write);
    case Crash::unsynced:
      return rig_.coverage.Hit(Rare::agent_crashed_before_sync);
    case Crash::after:
      return rig_.coverage.Hit(Rare::agent_crashed_after_sync);
  }
}

void Machine::AgentEnded() {
  if (!agent_) return;
  CountCrash();
  agent_.reset();
  rig_.Stir();
  rig_.network->AgentDied(index_);
  const absl::Duration pause =
      rig_.dice.Between(absl::Milliseconds(100), rig_.healed ? absl::Seconds(5) : absl::Minutes(2));
  rig_.timeline.After(pause, [this] {
    if (!agent_) StartAgent();
  });
  if (rig_.PowerGoesToo(static_cast<int>(index_))) LosePower();
}

void Machine::Reboot() {
  rig_.coverage.Hit(Rare::machine_rebooted);
  rig_.Strike(Fault::machine_rebooted);
  AgentEnded();
  LosePower();
}

void Machine::LosePower() {
  boot_id_ = absl::StrCat("boot-", ++boots_);
  const std::uint64_t torn = disk_.torn();
  disk_.Restart(true);
  if (disk_.torn() > torn) rig_.coverage.Hit(Rare::tail_was_torn);
  for (auto& [id, child] : children_) {
    if (child.stage == Child::Stage::running) child.stage = Child::Stage::killed;
  }
  // What was running comes up again, from what `current` names now.
  if (!world_.running.empty()) {
    world_.running = world_.on_disk;
    ++world_.pid;
    ++world_.mishaps;
    rig_.checkers->OnMishap(index_);
  }
}

void Machine::LoseService() {
  if (world_.running.empty()) return;
  rig_.Strike(Fault::service_died);
  world_.running.clear();
  ++world_.pid;
  ++world_.mishaps;
  rig_.checkers->OnMishap(index_);
  rig_.network->SendUp(index_, Complaint{"the service died"});
}

bool Machine::HasRunningChild() const {
  for (const auto& [id, child] : children_) {
    if (child.stage == Child::Stage::running) return true;
  }
  return false;
}

Machine::Child::Fate Machine::RandomFate(const Command& command) {
  const Weather& weather = rig_.weather;
  if (rig_.Rough(weather.failing)) {
    rig_.Strike(Fault::command_failed);
    // A migration that says that it failed has taken itself back.
    const bool leaves_traces = ProbeDecides(command) && rig_.dice.Chance(0.5);
    return leaves_traces ? Child::Fate::fails_late : Child::Fate::fails_early;
  }
  if (rig_.Rough(weather.hanging)) {
    rig_.Strike(Fault::command_hung);
    return Child::Fate::hangs;
  }
  if (rig_.Rough(weather.later)) {
    rig_.Strike(Fault::command_not_yet);
    return Child::Fate::later;
  }
  return Child::Fate::well;
}

absl::Duration Machine::RandomDuration(const Command& command) {
  const auto work = ParsePayload(command.payload);
  if (work && work->kind == Kind::bake)
    return rig_.dice.Between(absl::Seconds(5), absl::Seconds(19));
  const bool slow = rig_.Rough(rig_.weather.slow);
  return rig_.dice.Between(absl::Milliseconds(5), slow ? command.timeout : absl::Seconds(4));
}

void Machine::StartChild(const Command& command, std::uint64_t life) {
  const CommandId id = command.id;
  rig_.checkers->OnStarted(index_, command, HasRunningChild());
  Child& child = children_[id];
  child = Child{};
  child.command = command;
  child.watcher = life;
  child.fate = RandomFate(command);
  absl::Duration takes = RandomDuration(command);
  // Some cannot be killed at once, and the controller stops waiting for them.
  if (child.fate == Child::Fate::hangs) {
    takes = command.timeout + (rig_.dice.Chance(0.4) ? absl::Minutes(2) : absl::ZeroDuration());
  }
  const absl::Duration effect_after = takes * static_cast<double>(rig_.dice.Below(1000)) / 1000;
  const bool has_effect = child.fate == Child::Fate::well ||
                          child.fate == Child::Fate::fails_late ||
                          (child.fate == Child::Fate::hangs && rig_.dice.Chance(0.5));
  if (has_effect) rig_.timeline.After(effect_after, [this, id] { TakeEffect(id); });
  rig_.timeline.After(takes, [this, id] {
    switch (children_[id].fate) {
      case Child::Fate::well:
        return EndChild(id, Verdict::succeeded, "done");
      case Child::Fate::fails_early:
      case Child::Fate::fails_late:
        return EndChild(id, Verdict::failed, "exit status 1");
      case Child::Fate::hangs:
        return EndHanging(id);
      case Child::Fate::later:
        return EndChild(id, Verdict::try_later, "exit status 75");
    }
  });
}

void Machine::TakeEffect(const CommandId& id) {
  Child& child = children_[id];
  if (child.stage != Child::Stage::running || child.effect_done) return;
  child.effect_done = true;
  child.answer.verdict = Perform(world_, child.command);
  rig_.checkers->OnEffect(index_, child.command);
}

void Machine::EndChild(const CommandId& id, Verdict verdict, const char* message) {
  Child& child = children_[id];
  if (child.stage != Child::Stage::running) return;
  child.stage = Child::Stage::ended;
  // Work that was done well may still have found the host not to be as it should.
  if (verdict == Verdict::succeeded) verdict = child.answer.verdict;
  child.answer.id = id;
  child.answer.verdict = verdict;
  child.answer.message = message;
  child.answer.observed = world_.Observe();
  if (rig_.mutant == Mutant::agent_claims_wanted_version) {
    const auto work = ParsePayload(child.command.payload);
    if (work) child.answer.observed[kApp].on_disk = work->release;
  }
  if (agent_ && agent_->life() == child.watcher) agent_->Feed(agent::Ended{child.answer});
}

// Nobody can tell how far a migration had come when it was killed.
void Machine::EndHanging(const CommandId& id) {
  const bool decided = ProbeDecides(children_[id].command);
  EndChild(id, decided ? Verdict::timed_out : Verdict::unknown, "killed at its timeout");
}

void Machine::CancelChild(const CommandId& id) {
  const auto it = children_.find(id);
  if (it == children_.end() || !ProbeDecides(it->second.command)) return;
  if (it->second.stage != Child::Stage::running) return;
  rig_.coverage.Hit(Rare::cancelled);
  EndChild(id, Verdict::failed, "cancelled");
}

Answer Machine::ProbeAnswer(const Command& command) {
  const auto it = children_.find(command.id);
  if (it != children_.end() && it->second.stage == Child::Stage::ended) return it->second.answer;
  Answer answer;
  answer.id = command.id;
  answer.observed = world_.Observe();
  answer.message = "found by a probe";
  if (it == children_.end()) {
    answer.verdict = Verdict::not_applied;  // its shim never began
  } else if (!ProbeDecides(command)) {
    answer.verdict = Verdict::unknown;
  } else {
    answer.verdict = LooksDone(world_, command) ? Verdict::succeeded : Verdict::not_applied;
  }
  return answer;
}

void Machine::ProbeChild(const Command& command, std::uint64_t life) {
  if (!agent_ || agent_->life() != life) return;
  const auto it = children_.find(command.id);
  const bool lives = it != children_.end() && it->second.stage == Child::Stage::running;
  if (lives) it->second.watcher = life;
  Answer answer = ProbeAnswer(command);
  CountProbe(answer, lives);
  agent_->Feed(agent::Probed{std::move(answer), lives});
}

void Machine::CountProbe(const Answer& answer, bool adopted) {
  if (adopted) return rig_.coverage.Hit(Rare::probe_adopted);
  if (answer.verdict == Verdict::succeeded) rig_.coverage.Hit(Rare::probe_succeeded);
  if (answer.verdict == Verdict::not_applied) rig_.coverage.Hit(Rare::probe_not_applied);
  if (answer.verdict == Verdict::unknown) rig_.coverage.Hit(Rare::probe_unknown);
}

}  // namespace slipway::sim
