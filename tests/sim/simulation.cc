#include "tests/sim/simulation.h"

#include "absl/strings/str_cat.h"
#include "tests/sim/controller_side.h"
#include "tests/sim/faults.h"
#include "tests/sim/machine.h"
#include "tests/sim/network.h"
#include "tests/sim/people.h"

namespace slipway::sim {
namespace {

// A run that goes on for longer never comes to rest.
constexpr std::uint64_t kStepsMax = 400'000;

void AddMachines(Rig& rig, std::size_t hosts) {
  const bool first_deployment = rig.dice.Chance(0.2);
  for (std::size_t i = 0; i < hosts; ++i) {
    auto machine = std::make_unique<Machine>(rig, i, HostId{absl::StrCat("web-", i + 1)});
    if (!first_deployment) machine->world().on_disk = machine->world().running = "sha256:0";
    rig.machines.push_back(std::move(machine));
  }
}

std::unique_ptr<JournalStore> MakeStore(Rig& rig, Storage storage) {
  const bool on_disk =
      storage == Storage::by_seed ? rig.dice.Below(5) == 0 : storage == Storage::sqlite;
  if (!on_disk) return std::make_unique<SharedStore>();
  auto store = std::make_unique<SqliteStore>(rig.dice.Next());
  if (rig.mutant == Mutant::disk_forgets_syncs) store->disk()->IgnoreSyncs();
  return store;
}

}  // namespace

Report Simulate(std::uint64_t seed, Mutant mutant, Storage storage) {
  Rig rig(seed, mutant);
  rig.weather = RandomWeather(rig.dice);
  const std::size_t hosts = 1 + rig.dice.Below(rig.dice.Chance(0.2) ? 8 : 4);
  Checkers checkers(rig, hosts);
  Network network(rig, hosts);
  ControllerSide controllers(rig, MakeStore(rig, storage));
  Faults faults(rig);
  People people(rig, 1 + static_cast<int>(rig.dice.Below(3)));
  rig.checkers = &checkers;
  rig.network = &network;
  rig.controllers = &controllers;
  AddMachines(rig, hosts);

  const absl::Time begin = rig.timeline.Now();
  faults.Start();
  controllers.Start();
  for (const auto& machine : rig.machines) machine->StartAgent();
  people.Start();
  while (!checkers.violation() && rig.timeline.Step()) {
    if (rig.timeline.steps() > kStepsMax) checkers.Broken("I23", "it never comes to rest");
  }
  if (!checkers.violation()) checkers.AtTheEnd();
  return {seed,           checkers.violation(),          rig.coverage,
          rig.pairs,      controllers.disk() != nullptr, rig.timeline.Now() - begin,
          people.begun(), rig.timeline.steps()};
}

}  // namespace slipway::sim
