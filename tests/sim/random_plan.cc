#include "tests/sim/random_plan.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/sim/host_world.h"

namespace slipway::sim {
namespace {

using engine::Gate;
using engine::Step;
using engine::Sweep;
using engine::Undo;
using engine::Unreachable;

class Planner {
 public:
  Planner(Dice& dice, std::size_t hosts, std::string release)
      : dice_(dice), hosts_(hosts), release_(std::move(release)) {}

  engine::Plan Make() {
    AddPhase("prepare", All(), {StepOf(Kind::stage)}, {});
    if (dice_.Chance(0.3)) AddMigration();
    std::vector<Step> chain = {StepOf(Kind::stop), StepOf(Kind::switch_release),
                               StepOf(Kind::start), StepOf(Kind::check)};
    AddPhase("switch", All(), std::move(chain), RandomStrategy());
    if (dice_.Chance(0.5)) AddPhase("verify", All(), {StepOf(Kind::check)}, {});
    return std::move(plan_);
  }

  engine::RollbackPolicy Rollback() {
    engine::RollbackPolicy policy;
    const engine::DatabaseWay ways[] = {engine::DatabaseWay::keep, engine::DatabaseWay::down,
                                        engine::DatabaseWay::restore};
    policy.database = ways[dice_.Below(3)];
    if (dice_.Chance(0.5)) policy.ramp = {RandomShare()};
    policy.within = dice_.Between(absl::Minutes(2), absl::Hours(2));
    policy.triggers = {dice_.Chance(0.8), dice_.Chance(0.8), true};
    if (policy.database == engine::DatabaseWay::restore && dice_.Chance(0.7)) {
      policy.users = All();
      policy.quiesce = {StepOf(Kind::stop)};
      policy.resume = {StepOf(Kind::start)};
    }
    return policy;
  }

 private:
  std::vector<engine::HostIx> All() const {
    std::vector<engine::HostIx> all(hosts_);
    for (std::size_t i = 0; i < hosts_; ++i) all[i] = static_cast<engine::HostIx>(i);
    return all;
  }

  engine::Share RandomShare() {
    if (dice_.Chance(0.5)) return {0, static_cast<int>(10 + dice_.Below(90))};
    return {static_cast<int>(1 + dice_.Below(hosts_)), 0};
  }

  engine::Strategy RandomStrategy() {
    engine::Strategy strategy;
    if (dice_.Chance(0.5)) strategy.canary = {1, 0};
    while (dice_.Chance(0.5)) strategy.ramp.push_back(RandomShare());
    if (dice_.Chance(0.5)) strategy.canary_bake = StepOf(Kind::bake);
    if (dice_.Chance(0.3)) strategy.bake = StepOf(Kind::bake);
    return strategy;
  }

  Gate RandomGate() {
    Gate gate;
    if (dice_.Chance(0.7)) return gate;
    const Gate::Kind kinds[] = {Gate::Kind::approval, Gate::Kind::wait, Gate::Kind::healthy};
    gate.kind = kinds[dice_.Below(3)];
    gate.role = "release";
    gate.text = "go on?";
    if (gate.kind == Gate::Kind::wait || dice_.Chance(0.6)) {
      gate.within = dice_.Between(absl::Seconds(10), absl::Minutes(20));
    }
    const Gate::OnTimeout ends[] = {Gate::OnTimeout::hold, Gate::OnTimeout::roll_back,
                                    Gate::OnTimeout::abort};
    gate.on_timeout = ends[dice_.Below(3)];
    if (gate.kind == Gate::Kind::approval && dice_.Chance(0.7)) {
      gate.people = {"ada", "ben", "eve"};
      gate.approvals = dice_.Chance(0.4) ? 2 : 1;
    }
    return gate;
  }

  void AddPhase(std::string name, std::vector<engine::HostIx> hosts, std::vector<Step> steps,
                engine::Strategy strategy) {
    const auto phase = static_cast<std::uint16_t>(plan_.phases.size());
    const int budget = dice_.Chance(0.4) ? static_cast<int>(dice_.Below(3)) : 0;
    plan_.phases.push_back({std::move(name), budget, absl::ZeroDuration()});
    plan_.parts.push_back(
        {phase, std::move(hosts), std::move(steps), std::move(strategy), RandomGate()});
  }

  void AddMigration() {
    Step migrate = StepOf(Kind::migrate);
    if (dice_.Chance(0.2)) migrate.traits.undo = Undo::impossible;
    const auto host = static_cast<engine::HostIx>(dice_.Below(hosts_));
    AddPhase("database", {host}, {std::move(migrate)}, {});
  }

  Step StepOf(Kind kind) {
    Step step;
    step.payload = ToPayload({kind, release_});
    step.action = step.payload.substr(0, step.payload.find(' '));
    step.name = step.action;
    step.app = kApp;
    step.traits = TraitsOf(kind);
    return step;
  }

  engine::Traits TraitsOf(Kind kind) {
    engine::Traits traits;
    const bool changes = kind == Kind::stop || kind == Kind::switch_release || kind == Kind::start;
    const bool looks = kind == Kind::check || kind == Kind::bake;
    traits.undo = changes || kind == Kind::migrate ? Undo::built_in : Undo::not_needed;
    traits.disruptive = changes || kind == Kind::migrate;
    traits.probe_decides = kind != Kind::migrate;
    traits.verifies = looks;
    traits.on_rollback = kind == Kind::check;
    if (kind == Kind::stop) traits.sweep = Sweep::resume;
    if (kind == Kind::start) traits.sweep = Sweep::quiesce;
    if (kind == Kind::migrate) traits.sweep = Sweep::restore;
    traits.retries = dice_.Chance(0.5) ? static_cast<int>(dice_.Below(3)) : 0;
    traits.timeout = dice_.Between(absl::Seconds(20), absl::Minutes(3));
    traits.deadline = dice_.Between(absl::Seconds(20), absl::Minutes(5));
    const Unreachable ways[] = {Unreachable::fail, Unreachable::wait, Unreachable::skip};
    traits.unreachable = ways[dice_.Below(3)];
    return traits;
  }

  Dice& dice_;
  const std::size_t hosts_;
  const std::string release_;
  engine::Plan plan_;
};

}  // namespace

engine::Planned RandomPlan(Dice& dice, const std::vector<HostId>& hosts, const std::string& release,
                           const std::map<engine::HostIx, Observed>& before, absl::Time at) {
  Planner planner(dice, hosts.size(), release);
  // Big ones make the agents' logs grow until they are compacted.
  const std::string vars(dice.Chance(0.02) ? 40'000 : 20, 'v');
  engine::Planned planned;
  planned.at = at;
  for (const HostId& host : hosts) {
    engine::Target target;
    target.id = host;
    target.wanted[kApp] = release;
    target.vars = vars;
    planned.hosts.push_back(std::move(target));
  }
  planned.forward = engine::Forward(planner.Make(), dice.Next());
  planned.rollback = planner.Rollback();
  planned.before = before;
  if (dice.Chance(0.5)) planned.started_by = "spiffe://example/operator/ada";
  return planned;
}

absl::Duration PatienceOf(const engine::Planned& planned) {
  absl::Duration longest = absl::ZeroDuration();
  for (const Step& step : planned.forward.steps) {
    longest = std::max({longest, step.traits.deadline, step.traits.timeout});
  }
  for (const engine::Batch& batch : planned.forward.batches) {
    longest = std::max(longest, batch.before.within);
  }
  return 2 * longest + absl::Seconds(60);
}

}  // namespace slipway::sim
