#include "tests/sim/reference.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/sim/controller_side.h"
#include "tests/sim/host_world.h"
#include "tests/sim/machine.h"
#include "tests/sim/network.h"

namespace slipway::sim {
namespace {

constexpr std::uint64_t kSeed = 1;
constexpr std::uint64_t kReferenceStepsMax = 100'000;
constexpr char kBefore[] = "sha256:0";
constexpr char kWanted[] = "sha256:1";
constexpr int kSchemaBefore = 7;

engine::Step StepOf(Kind kind) {
  engine::Step step;
  step.payload = ToPayload({kind, kWanted});
  step.action = step.name = step.payload.substr(0, step.payload.find(' '));
  step.app = kApp;
  engine::Traits& traits = step.traits;
  const bool changes = kind == Kind::stop || kind == Kind::switch_release || kind == Kind::start;
  traits.undo =
      changes || kind == Kind::migrate ? engine::Undo::built_in : engine::Undo::not_needed;
  traits.disruptive = changes || kind == Kind::migrate;
  traits.probe_decides = kind != Kind::migrate;
  traits.verifies = traits.on_rollback = kind == Kind::check;
  traits.timeout = absl::Minutes(1);
  // A controller that is away for some seconds does not make anybody unreachable.
  traits.deadline = absl::Minutes(5);
  return step;
}

engine::Planned ReferencePlan(const Rig& rig) {
  engine::Planned planned;
  planned.at = rig.timeline.Now();
  engine::Plan plan;
  std::vector<engine::HostIx> all;
  for (const auto& machine : rig.machines) {
    const auto host = static_cast<engine::HostIx>(machine->index());
    all.push_back(host);
    planned.before[host] = machine->world().Observe();
    planned.hosts.push_back({machine->id(), "", {{kApp, kWanted}}});
  }
  plan.phases = {{"prepare", 0, {}}, {"database", 0, {}}, {"switch", 0, {}}};
  engine::Strategy strategy;
  strategy.canary = {1, 0};
  strategy.ramp = {{1, 0}};
  plan.parts.push_back({0, all, {StepOf(Kind::stage)}, {}, {}});
  plan.parts.push_back({1, {0}, {StepOf(Kind::migrate)}, {}, {}});
  plan.parts.push_back(
      {2,
       all,
       {StepOf(Kind::stop), StepOf(Kind::switch_release), StepOf(Kind::start), StepOf(Kind::check)},
       strategy,
       {}});
  planned.forward = engine::Forward(plan, kSeed);
  planned.rollback.database = engine::DatabaseWay::down;
  return planned;
}

// The host of the last batch cannot run the new release.
void MakeLastHostIll(Rig& rig, const engine::Planned& planned) {
  const engine::HostIx last = planned.forward.batches.back().hosts.back().host;
  rig.machines[last]->world().ill_releases.insert(kWanted);
}

// What the rollout came to is what it had to come to.
void JudgeEnd(Rig& rig) {
  const auto broken = [&](std::string text) { rig.checkers->Broken("end", std::move(text)); };
  ControllerProcess* const process = rig.controllers->active();
  Driver* const driver = process == nullptr ? nullptr : process->Current();
  if (driver == nullptr) return broken("nobody drives the rollout");
  const engine::State& state = driver->state();
  if (!state.finished) return broken(absl::StrCat("not over: ", state.hold.text));
  if (state.finished->result != engine::Result::rolled_back) {
    return broken(absl::StrCat("not rolled back: ", state.finished->text));
  }
  for (const auto& machine : rig.machines) {
    const HostWorld& world = machine->world();
    const bool same = world.on_disk == kBefore && world.running == kBefore;
    if (!same || world.schema != kSchemaBefore) {
      broken(absl::StrCat(machine->id().text, " has ", world.on_disk, ", runs ", world.running,
                          ", schema ", world.schema));
    }
  }
}

}  // namespace

Reference RunReference(std::deque<Kill> kills, Mutant mutant) {
  Rig rig(kSeed, mutant);
  rig.kills = std::move(kills);
  rig.kills_are_planned = true;
  rig.healed = true;
  Checkers checkers(rig, kReferenceHosts);
  Network network(rig, kReferenceHosts);
  auto store = std::make_unique<SqliteStore>(rig.dice.Next());
  if (mutant == Mutant::disk_forgets_syncs) store->disk()->IgnoreSyncs();
  ControllerSide controllers(rig, std::move(store));
  rig.checkers = &checkers;
  rig.network = &network;
  rig.controllers = &controllers;
  for (std::size_t i = 0; i < kReferenceHosts; ++i) {
    rig.machines.push_back(std::make_unique<Machine>(rig, i, HostId{absl::StrCat("web-", i + 1)}));
    rig.machines[i]->world().on_disk = rig.machines[i]->world().running = kBefore;
  }
  controllers.Start();
  for (const auto& machine : rig.machines) machine->StartAgent();
  engine::Planned planned = ReferencePlan(rig);
  MakeLastHostIll(rig, planned);
  controllers.Begin(RolloutId{"ro-1"}, std::move(planned));
  while (!checkers.violation() && rig.timeline.Step()) {
    if (rig.timeline.steps() > kReferenceStepsMax) checkers.Broken("I23", "it never comes to rest");
  }
  Reference reference;
  if (!checkers.violation()) checkers.AtTheEnd();
  if (!checkers.violation()) JudgeEnd(rig);
  reference.violation = checkers.violation();
  reference.kills_left = rig.kills.size();
  reference.controller_operations = controllers.disk()->operations();
  for (const auto& machine : rig.machines) {
    reference.agent_writes.push_back(machine->disk().writes());
  }
  return reference;
}

}  // namespace slipway::sim
