#include "tests/sim/controller_side.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/sim/checkers.h"
#include "tests/sim/machine.h"

namespace slipway::sim {

ControllerProcess::ControllerProcess(Rig& rig, const JournalStore& store,
                                     controller::Journal& beneath, std::uint64_t life)
    : rig_(rig),
      life_(life),
      holder_(absl::StrCat("holder-", life)),
      journal_(rig, store, beneath, holder_) {}

void ControllerProcess::Recover() {
  auto rollouts = journal_.List();
  if (!rollouts.ok()) return;
  for (const RolloutId& rollout : *rollouts) RecoverOne(rollout);
}

void ControllerProcess::RecoverOne(const RolloutId& rollout) {
  auto runner = controller::RolloutRunner::Recover(rollout, holder_, journal_, *this);
  if (runner.ok()) return Adopt(*std::move(runner));
  const bool ours = absl::IsInternal(runner.status()) || absl::IsDataLoss(runner.status());
  if (ours && !journal_.crashed())
    return rig_.checkers->Broken("I9", std::string(runner.status().message()));
  Drop(rollout);  // again in a while
}

bool ControllerProcess::Open(const RolloutId& rollout, engine::Planned planned) {
  auto runner =
      controller::RolloutRunner::Open(rollout, holder_, std::move(planned), journal_, *this);
  if (runner.ok()) Adopt(*std::move(runner));
  return runner.ok();
}

void ControllerProcess::Adopt(std::unique_ptr<controller::RolloutRunner> runner) {
  const RolloutId rollout = runner->id();
  Driver& driver = *(drivers_[rollout] = std::make_unique<Driver>(rig_, *this, std::move(runner)));
  for (const auto& machine : rig_.machines) {
    const auto host = driver.runner().Find(machine->id());
    if (!host || !rig_.network->ControllerSees(machine->index())) continue;
    driver.Feed(engine::Attached{{}, *host});
    driver.Feed(engine::Sighted{{}, *host, machine->world().Observe()});
  }
}

void ControllerProcess::Drop(const RolloutId& rollout) {
  drivers_.erase(rollout);
  rig_.Stir();
  const absl::Duration pause = rig_.dice.Between(absl::Milliseconds(200), absl::Seconds(20));
  rig_.timeline.After(pause, [&rig = rig_, life = life_, rollout] {
    ControllerProcess* process = rig.controllers->Find(life);
    if (process == nullptr || process->is_zombie() || process->Find(rollout) != nullptr) return;
    process->RecoverOne(rollout);
    if (process->journal().crashed()) rig.controllers->KillSoon(life);
  });
}

Driver* ControllerProcess::Find(const RolloutId& rollout) {
  const auto it = drivers_.find(rollout);
  return it == drivers_.end() ? nullptr : it->second.get();
}

Driver* ControllerProcess::Current() {
  return drivers_.empty() ? nullptr : drivers_.rbegin()->second.get();
}

void ControllerProcess::ForEach(const std::function<void(Driver&)>& what) {
  for (auto& [rollout, driver] : drivers_) what(*driver);
}

void ControllerProcess::Thaw() {
  rig_.Stir();
  frozen_ = false;
  is_zombie_ = true;
  Flush();
  // It still believes in its sessions; sends go out over those of its successor.
  for (auto& [rollout, driver] : drivers_) {
    for (const auto& machine : rig_.machines) {
      const auto host = driver->runner().Find(machine->id());
      if (host && rig_.dice.Chance(0.7)) driver->Feed(engine::Attached{{}, *host});
    }
    driver->Thaw();
  }
}

void ControllerProcess::Send(const HostId& host, Command command) {
  rig_.checkers->OnSent(command);
  Enqueue(host, std::move(command));
  if (!std::exchange(freezes_at_send_, false)) return;
  rig_.timeline.After(absl::ZeroDuration(), [&rig = rig_, life = life_, host] {
    if (ControllerProcess* same = rig.controllers->Find(life); same != rig.controllers->active())
      return;
    rig.controllers->TakeOver(rig.dice.Between(absl::Minutes(1), absl::Minutes(15)));
    // The same trouble keeps the host away, so that the successor goes on without it.
    if (!rig.dice.Chance(0.7)) return;
    for (const auto& machine : rig.machines) {
      if (machine->id() != host) continue;
      rig.network->Cut(machine->index(), true);
      rig.timeline.After(rig.dice.Between(absl::Seconds(30), absl::Minutes(6)),
                         [&rig, index = machine->index()] { rig.network->Cut(index, false); });
    }
  });
}

void ControllerProcess::Acknowledge(const HostId& host, const CommandId& id) {
  Enqueue(host, AnswerAck{id});
}

void ControllerProcess::Closed(const HostId& host, const RolloutId& rollout) {
  Enqueue(host, ClosedNote{rollout});
}

void ControllerProcess::Enqueue(const HostId& host, Down message) {
  buffer_.emplace_back(host, std::move(message));
  if (buffer_.size() > 1) return;
  const absl::Duration soon = rig_.dice.Between(absl::Microseconds(10), absl::Milliseconds(5));
  rig_.timeline.After(soon, [&rig = rig_, life = life_] {
    if (ControllerProcess* same = rig.controllers->Find(life)) same->Flush();
  });
}

void ControllerProcess::Flush() {
  if (frozen_) return;
  for (auto& [host, message] : std::exchange(buffer_, {})) {
    const bool is_command = std::holds_alternative<Command>(message);
    if (is_command && is_zombie_) rig_.coverage.Hit(Rare::zombie_sent);
    for (const auto& machine : rig_.machines) {
      if (machine->id() == host) rig_.network->SendDown(machine->index(), message);
    }
  }
}

void ControllerSide::Start() {
  rig_.Stir();
  rig_.Started(Kill::kController);
  const auto journal = store_->Open();
  if (!journal.ok()) {
    // A crash while it came up, or a full disk; anything else is our fault.
    const bool ours = absl::IsDataLoss(journal.status()) && !store_->crashed();
    if (ours) rig_.checkers->Broken("I1", std::string(journal.status().message()));
    return StartAgain();
  }
  rig_.Tell("-- a controller started");
  active_ = std::make_unique<ControllerProcess>(rig_, *store_, **journal, ++lives_);
  active_->Recover();
  if (active_->journal().crashed()) return Kill();
  for (const auto& [rollout, planned] : std::exchange(wanted_, {})) Begin(rollout, planned);
}

void ControllerSide::StartAgain() {
  CloseStore();
  const absl::Duration pause =
      rig_.dice.Between(absl::Milliseconds(500), rig_.healed ? absl::Seconds(5) : absl::Minutes(3));
  rig_.timeline.After(pause, [this] {
    if (!active_) Start();
  });
}

void ControllerSide::CloseStore() {
  JournalDisk* const disk = store_->disk();
  if (disk == nullptr) return;
  if (store_->crashed()) {
    rig_.coverage.Hit(Rare::controller_crashed_in_write);
    rig_.Strike(Fault::controller_crashed_in_append);
  }
  const bool power_cut =
      rig_.kills_are_planned ? rig_.PowerGoesToo(Kill::kController) : rig_.dice.Chance(0.5);
  const std::uint64_t torn = disk->torn();
  store_->Close(power_cut);
  if (!power_cut) return;
  rig_.coverage.Hit(Rare::controller_lost_power);
  rig_.Strike(Fault::controller_power_cut);
  if (disk->torn() > torn) rig_.coverage.Hit(Rare::controller_log_was_torn);
}

void ControllerSide::Kill() {
  if (!active_) return;
  active_.reset();
  rig_.Stir();
  rig_.network->ControllerDied();
  StartAgain();
}

void ControllerSide::KillSoon(std::uint64_t life) {
  if (zombie_ && zombie_->life() == life) return zombie_.reset();
  if (active_ && active_->life() == life) Kill();
}

void ControllerSide::TakeOver(absl::Duration thaw_after) {
  if (!active_ || zombie_) return;
  if (store_->disk() != nullptr) return Kill();  // nobody else can open it
  rig_.coverage.Hit(Rare::taken_over);
  rig_.Strike(Fault::taken_over);
  zombie_ = std::move(active_);
  zombie_->Freeze();
  rig_.network->ControllerDied();
  rig_.timeline.After(rig_.dice.Between(absl::Seconds(2), absl::Seconds(20)), [this] {
    if (!active_) Start();
  });
  rig_.timeline.After(thaw_after, [this, life = zombie_->life()] {
    if (zombie_ && zombie_->life() == life) zombie_->Thaw();
  });
  rig_.timeline.After(thaw_after + absl::Minutes(5), [this, life = zombie_->life()] {
    if (zombie_ && zombie_->life() == life) zombie_.reset();  // its lease watch ends it
  });
}

void ControllerSide::Begin(const RolloutId& rollout, engine::Planned planned) {
  if (active_ && !active_->frozen()) {
    const bool is_there = active_->Find(rollout) != nullptr || active_->Open(rollout, planned);
    if (active_->journal().crashed()) Kill();
    if (is_there) return;
    // Written, but nobody was told: the next recovery finds it.
    const auto known = active_ ? active_->journal().Read(rollout, 1)
                               : absl::StatusOr<std::vector<controller::Record>>();
    if (known.ok() && !known->empty()) return active_->Drop(rollout);
  }
  wanted_.emplace_back(rollout, std::move(planned));
  rig_.timeline.After(absl::Seconds(10), [this] {
    if (!active_) return;
    for (auto& [again, plan] : std::exchange(wanted_, {})) Begin(again, plan);
  });
}

ControllerProcess* ControllerSide::Find(std::uint64_t life) {
  if (active_ && active_->life() == life) return active_.get();
  if (zombie_ && zombie_->life() == life) return zombie_.get();
  return nullptr;
}

void ControllerSide::FeedCurrent(const std::function<engine::Input(engine::HostIx)>& make,
                                 std::size_t host) {
  if (!active_) return;
  active_->ForEach([&](Driver& driver) {
    const auto index = driver.runner().Find(rig_.machines[host]->id());
    if (index) driver.Feed(make(*index));
  });
}

void ControllerSide::Attached(std::size_t host) {
  FeedCurrent([](engine::HostIx index) { return engine::Attached{{}, index}; }, host);
}

void ControllerSide::Lost(std::size_t host) {
  FeedCurrent([](engine::HostIx index) { return engine::Lost{{}, index}; }, host);
}

void ControllerSide::Sighted(std::size_t host, const Observed& observed) {
  FeedCurrent([&](engine::HostIx index) { return engine::Sighted{{}, index, observed}; }, host);
}

void ControllerSide::Tripped(std::size_t host, const std::string& reason) {
  FeedCurrent([&](engine::HostIx index) { return engine::Tripped{{}, index, reason}; }, host);
}

void ControllerSide::Answered(std::size_t host, const Answer& answer) {
  if (!active_) return;
  Driver* driver = active_->Find(answer.id.rollout);
  if (driver == nullptr) return;  // not recovered yet: the agent says it again
  const auto index = driver->runner().Find(rig_.machines[host]->id());
  if (!index) return;
  engine::Reported report;
  report.task = {answer.id.course, answer.id.batch, answer.id.step, *index};
  report.attempt = answer.id.attempt;
  report.verdict = answer.verdict;
  if (rig_.mutant == Mutant::controller_retries_unknown && report.verdict == Verdict::unknown) {
    report.verdict = Verdict::not_applied;
  }
  report.message = answer.message;
  report.excerpt = answer.excerpt;
  report.observed = answer.observed;
  driver->Feed(std::move(report));
}

}  // namespace slipway::sim
