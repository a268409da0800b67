#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/sim/checkers.h"
#include "tests/sim/controller_side.h"

namespace slipway::sim {

Driver::Driver(Rig& rig, ControllerProcess& process,
               std::unique_ptr<controller::RolloutRunner> runner)
    : rig_(rig),
      process_(process),
      runner_(std::move(runner)),
      serial_(rig.NextSerial()),
      born_(rig.timeline.Now()),
      engine_born_(runner_->state().now) {
  ScheduleWake();
}

absl::Time Driver::EngineNow() const {
  return engine_born_ + (rig_.timeline.Now() - born_);
}

bool Driver::IsWaitingForPerson() const {
  const engine::Hold& hold = state().hold;
  return hold.why != engine::Hold::Why::none &&
         (hold.why != engine::Hold::Why::gate || hold.until == absl::InfiniteFuture());
}

void Driver::Feed(engine::Input input) {
  std::visit([this](auto& in) { in.now = EngineNow(); }, input);
  inbox_.push_back(std::move(input));
  SchedulePump();
}

void Driver::SchedulePump() {
  if (process_.frozen() || inbox_.empty() || std::exchange(pump_is_due_, true)) return;
  const absl::Duration soon = rig_.dice.Between(absl::Microseconds(100), absl::Milliseconds(10));
  rig_.timeline.After(process_.pause() + soon, [&rig = rig_, life = process_.life(),
                                                rollout = runner_->id(), serial = serial_] {
    ControllerProcess* process = rig.controllers->Find(life);
    Driver* self = process == nullptr ? nullptr : process->Find(rollout);
    if (self == nullptr || self->serial_ != serial) return;
    self->pump_is_due_ = false;
    // It may die behind an append that went well, of a checkpoint.
    if (process->frozen() || (self->Pump() && !process->journal().crashed())) return;
    if (process->journal().crashed() || process->is_zombie()) {
      rig.controllers->KillSoon(life);
    } else {
      process->Drop(rollout);
    }
  });
}

bool Driver::Pump() {
  const std::vector<engine::Input> inputs = std::exchange(inbox_, {});
  if (inputs.empty()) return true;
  if (rig_.mutant == Mutant::controller_sends_before_append) SendBeforeAppend(inputs);
  std::vector<absl::Status> verdicts;
  const absl::Status pumped = runner_->Pump(inputs, verdicts);
  if (absl::IsInternal(pumped)) rig_.checkers->Broken("I9", std::string(pumped.message()));
  if (process_.is_zombie() && absl::IsFailedPrecondition(pumped)) {
    rig_.coverage.Hit(Rare::zombie_append_refused);
  }
  if (!pumped.ok()) return false;
  for (const absl::Status& verdict : verdicts) {
    if (!verdict.ok()) rig_.coverage.Hit(Rare::verb_refused);
  }
  const bool ended = !runner_->last_events().empty() &&
                     std::any_of(runner_->last_events().begin(), runner_->last_events().end(),
                                 [](const engine::Event& event) {
                                   return std::holds_alternative<engine::Finished>(event);
                                 });
  rig_.checkers->OnPumped(runner_->id(), runner_->lease().next, state());
  if (ended) CheckReplay();
  if (ended) rig_.checkers->OnFinished(runner_->id(), state());
  ScheduleWake();
  return true;
}

// The mutant tells the hosts what it is about to decide.
void Driver::SendBeforeAppend(const std::vector<engine::Input>& inputs) {
  engine::State ahead = state();
  engine::Presence presence = runner_->presence();
  std::vector<engine::Event> events;
  for (const engine::Input& input : inputs) {
    (void)engine::Decide(ahead, presence, input, events);
  }
  for (const engine::Event& event : events) {
    const auto* issued = std::get_if<engine::TaskIssued>(&event);
    if (issued == nullptr) continue;
    const engine::Step& step = engine::StepOf(ahead, issued->task);
    Command command;
    const HostId& host = ahead.hosts[issued->task.host].id;
    command.id = {runner_->id(), issued->task.course, issued->task.batch, issued->task.step,
                  host,          issued->attempt};
    command.fence = {runner_->lease().epoch, process_.holder(), runner_->lease().next, "ahead"};
    command.direction = step.direction;
    command.payload = step.payload;
    command.timeout = step.traits.timeout;
    process_.Send(host, std::move(command));
  }
}

void Driver::ScheduleWake() {
  const auto wake = engine::NextWake(state(), runner_->presence());
  if (!wake) {
    wake_at_.reset();
    return;
  }
  if (wake_at_ == *wake) return;
  wake_at_ = *wake;
  const bool sleeps_in = rig_.mutant == Mutant::controller_sleeps_in && rig_.dice.Chance(0.2);
  const absl::Duration late = sleeps_in ? absl::Hours(6) : absl::ZeroDuration();
  rig_.timeline.After(
      *wake - EngineNow() + late,
      [&rig = rig_, life = process_.life(), rollout = runner_->id(), serial = serial_, at = *wake] {
        ControllerProcess* process = rig.controllers->Find(life);
        Driver* self = process == nullptr ? nullptr : process->Find(rollout);
        if (self == nullptr || self->serial_ != serial || self->wake_at_ != at) return;
        self->wake_at_.reset();
        self->Feed(engine::Tick{});
      });
}

void Driver::CheckReplay() {
  auto records = process_.journal().Read(runner_->id(), 1);
  if (!records.ok()) return;
  auto replayed = controller::ReplayRecords(runner_->id(), *records);
  if (!replayed.ok()) {
    return rig_.checkers->Broken("I9", std::string(replayed.status().message()));
  }
  // A frozen process may be behind the journal.
  if (records->size() + 1 != runner_->lease().next) return;
  rig_.checkers->OnReplayed(runner_->id(), state(), *replayed);
}

}  // namespace slipway::sim
