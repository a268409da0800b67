#include "tests/sim/faults.h"

#include "tests/sim/controller_side.h"
#include "tests/sim/machine.h"
#include "tests/sim/network.h"

namespace slipway::sim {
namespace {

constexpr std::uint64_t kPlenty = std::uint64_t{1} << 40;

}  // namespace

Weather RandomWeather(Dice& dice) {
  Weather weather;
  if (dice.Chance(0.1)) return weather;  // a fine day
  weather.until = dice.Between(absl::Minutes(1), absl::Minutes(40));
  const bool storm = dice.Chance(0.2);
  weather.between_faults =
      dice.Between(absl::Seconds(3), storm ? absl::Seconds(15) : absl::Minutes(3));
  const auto sometimes = [&](double chance, double most) {
    return dice.Chance(chance) ? most * static_cast<double>(dice.Below(1000)) / 1000 : 0;
  };
  weather.loss = sometimes(0.6, 0.2);
  weather.doubling = sometimes(0.6, 0.5);
  weather.late = sometimes(0.6, 0.2);
  weather.failing = sometimes(0.6, 0.15);
  weather.hanging = sometimes(0.4, 0.1);
  weather.slow = sometimes(0.5, 0.5);
  weather.later = sometimes(0.4, 0.2);
  weather.ill = sometimes(0.3, 0.6);
  weather.people = sometimes(0.5, 0.3);
  return weather;
}

void Faults::Start() {
  rig_.timeline.After(rig_.weather.until, [this] { Heal(); });
  if (rig_.weather.between_faults < absl::InfiniteDuration()) Next();
}

void Faults::Next() {
  const absl::Duration pause =
      rig_.dice.Between(absl::ZeroDuration(), 2 * rig_.weather.between_faults);
  rig_.timeline.After(pause, [this] {
    if (rig_.healed) return;
    OneFault();
    Next();
  });
}

void Faults::Heal() {
  rig_.Tell("-- the faults are over");
  rig_.healed = true;
  rig_.network->Heal();
  for (const auto& machine : rig_.machines) {
    machine->disk().SetFree(kPlenty);
    if (AgentProcess* agent = machine->agent()) agent->SetSlow(absl::ZeroDuration());
  }
  if (ControllerProcess* process = rig_.controllers->active()) {
    process->journal().SetFull(false);
    process->SetSlow(absl::ZeroDuration());
  }
  if (JournalDisk* disk = rig_.controllers->disk()) disk->Heal();
  rig_.Stir();
}

void Faults::OneFault() {
  // A host that a successor went on without is where only the fence is left to help.
  if (rig_.mutant == Mutant::agent_ignores_fence && rig_.dice.Chance(0.6)) return HitController();
  switch (rig_.dice.Below(9)) {
    case 0:
    case 1:
      return HitAgent();
    case 2:
    case 3:
      return HitDisk();
    case 4:
    case 5:
      return HitNetwork();
    case 6:
    case 7:
      return HitController();
    default: {
      const auto& machine = rig_.dice.Pick(rig_.machines);
      if (rig_.dice.Chance(0.3)) machine->LoseService();
    }
  }
}

void Faults::HitAgent() {
  const auto& machine = rig_.dice.Pick(rig_.machines);
  if (rig_.dice.Chance(0.5)) return machine->Reboot();
  rig_.coverage.Hit(Rare::agent_killed);
  rig_.Strike(Fault::agent_killed);
  machine->AgentEnded();
}

void Faults::HitDisk() {
  const auto& machine = rig_.dice.Pick(rig_.machines);
  agent::FakeLogFile& disk = machine->disk();
  using Crash = agent::FakeLogFile::Crash;
  switch (rig_.dice.Below(5)) {
    case 0:
      disk.SetFree(rig_.dice.Below(2000));
      rig_.Strike(Fault::agent_disk_full);
      rig_.timeline.After(rig_.dice.Between(absl::Seconds(5), absl::Minutes(3)), [this, &disk] {
        disk.SetFree(kPlenty);
        rig_.Stir();
      });
      return;
    case 1:
      rig_.coverage.Hit(Rare::agent_sync_failed);
      rig_.Strike(Fault::agent_sync_failed);
      return disk.FailNextSync();
    case 2:
      if (AgentProcess* agent = machine->agent()) {
        rig_.Strike(Fault::agent_slow);
        agent->SetSlow(rig_.dice.Between(absl::Seconds(1), absl::Seconds(30)));
      }
      return;
    default:
      return disk.CrashAfter(rig_.dice.Below(4), static_cast<Crash>(rig_.dice.Below(4)));
  }
}

void Faults::HitNetwork() {
  const bool all = rig_.dice.Chance(0.25);
  const std::size_t one = rig_.dice.Below(rig_.machines.size());
  const absl::Duration length = rig_.dice.Between(
      absl::Seconds(1), rig_.dice.Chance(0.2) ? absl::Minutes(20) : absl::Minutes(1));
  for (std::size_t host = 0; host < rig_.machines.size(); ++host) {
    if (!all && host != one) continue;
    rig_.network->Cut(host, true);
    rig_.timeline.After(length, [this, host] { rig_.network->Cut(host, false); });
  }
}

void Faults::HitController() {
  ControllerProcess* process = rig_.controllers->active();
  if (process == nullptr) return;
  JournalDisk* const disk = rig_.controllers->disk();
  if (disk != nullptr && rig_.dice.Chance(0.6)) return HitJournalDisk(*disk);
  using Crash = ProcessJournal::Crash;
  switch (rig_.dice.Below(10)) {
    case 0:
      rig_.Strike(Fault::controller_killed);
      return rig_.controllers->Kill();
    case 1:
      return process->journal().CrashAtNextAppend(Crash::before);
    case 2:
      return process->journal().CrashAtNextAppend(Crash::after);
    case 3:
      // With a file of one's own there is no connection that could break.
      if (disk == nullptr) process->journal().LeaveNextAppendInDoubt();
      return;
    case 4:
      rig_.Strike(Fault::controller_slow);
      return process->SetSlow(rig_.dice.Between(absl::ZeroDuration(), absl::Seconds(10)));
    case 5:
      rig_.Strike(Fault::controller_disk_full);
      process->journal().SetFull(true);
      return rig_.timeline.After(rig_.dice.Between(absl::Seconds(5), absl::Minutes(2)),
                                 [this, life = process->life()] {
                                   rig_.Stir();
                                   if (ControllerProcess* same = rig_.controllers->Find(life))
                                     same->journal().SetFull(false);
                                 });
    case 6:
    case 7:
    case 8:
      return process->FreezeAtNextSend();
    default:
      return rig_.controllers->TakeOver(rig_.dice.Between(absl::Seconds(10), absl::Minutes(10)));
  }
}

void Faults::HitJournalDisk(JournalDisk& disk) {
  using Crash = JournalDisk::Crash;
  switch (rig_.dice.Below(5)) {
    case 0:
      rig_.coverage.Hit(Rare::controller_sync_failed);
      rig_.Strike(Fault::controller_sync_failed);
      return disk.FailNextSync();
    case 1:
      rig_.Strike(Fault::controller_disk_full);
      disk.SetFree(rig_.dice.Below(20'000));
      return rig_.timeline.After(rig_.dice.Between(absl::Seconds(5), absl::Minutes(2)),
                                 [this, &disk] {
                                   disk.SetFree(kPlenty);
                                   rig_.Stir();
                                 });
    default:
      return disk.CrashAfter(rig_.dice.Below(40), static_cast<Crash>(rig_.dice.Below(3)));
  }
}

}  // namespace slipway::sim
