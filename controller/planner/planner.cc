#include "controller/planner/planner.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/plan/filled_in.h"
#include "common/wire/stable_bytes.h"
#include "controller/planner/durations.h"
#include "controller/planner/work.h"

namespace slipway::controller {
namespace {

using plan::Problem;

constexpr std::size_t kIndexMax = std::numeric_limits<std::uint16_t>::max();

engine::RollbackPolicy PolicyOf(const v1::PlanRollback& rollback) {
  engine::RollbackPolicy policy;
  policy.database = rollback.database() == v1::PlanRollback::DOWN ? engine::DatabaseWay::down
                                                                  : engine::DatabaseWay::keep;
  policy.within = DurationOf(rollback.within());
  for (const v1::Share& share : rollback.strategy().batch()) {
    policy.ramp.push_back({static_cast<int>(share.count()), static_cast<int>(share.percent())});
  }
  const auto& triggers = rollback.triggers().triggers();
  const auto has = [&](v1::PlanRollback::Trigger wanted) {
    return std::find(triggers.begin(), triggers.end(), wanted) != triggers.end();
  };
  policy.triggers.step_failed = has(v1::PlanRollback::STEP_FAILED);
  policy.triggers.check_failed = has(v1::PlanRollback::CHECK_FAILED);
  policy.triggers.manual = has(v1::PlanRollback::MANUAL);
  return policy;
}

// Numbers the hosts of the parts in the order of their names, which is that of `work.hosts`.
std::map<std::size_t, engine::HostIx> Number(Work& work) {
  std::set<std::size_t> used;
  for (const auto& phase : work.steps) {
    for (const PlannedStep& step : phase) {
      const auto group = work.groups.find(step.group);
      if (group == work.groups.end()) continue;
      used.insert(group->second.taking_part.begin(), group->second.taking_part.end());
    }
  }
  std::map<std::size_t, engine::HostIx> numbers;
  for (const std::size_t host : used) {
    numbers.emplace(host, static_cast<engine::HostIx>(numbers.size()));
  }
  return numbers;
}

void MakeTargets(Work& work, const std::map<std::size_t, engine::HostIx>& numbers) {
  for (const auto& [host, number] : numbers) {
    v1::HostVars vars;
    vars.mutable_vars()->insert(work.host_vars[host].begin(), work.host_vars[host].end());
    engine::Target target{work.hosts[host].id, StableBytes(vars), WantedOn(work, host)};
    Observed& before = work.out.before[number];
    const Observed& observed = work.hosts[host].observed;
    for (const auto& [app, digest] : target.wanted) {
      const auto version = observed.find(app);
      before[app] = version == observed.end() ? Version() : version->second;
    }
    work.out.targets.push_back(std::move(target));
  }
}

// The engine counts batches, steps and phases in 16 bits.
void CheckLimits(Work& work) {
  std::size_t batches = 0, steps = 0;
  for (const engine::Part& part : work.out.plan.parts) {
    const auto sizes =
        engine::BatchSizes(part.hosts.size(), part.strategy.canary, part.strategy.ramp);
    batches += std::max<std::size_t>(sizes.size(), 1);
    steps += part.steps.size() + 2;
  }
  if (batches <= kIndexMax && steps <= kIndexMax) return;
  work.AtKey("strategy", plan::kTooLargePlan,
             {absl::StrCat("the plan makes ", batches, " batches of ", steps, " steps; at most ",
                           kIndexMax, " are possible"),
              "", "use larger batches"});
}

void CheckWayBack(Work& work) {
  for (const engine::Part& part : work.out.plan.parts) {
    for (const engine::Step& step : part.steps) {
      if (step.traits.undo != engine::Undo::impossible) continue;
      const bool known =
          std::any_of(work.out.problems.begin(), work.out.problems.end(),
                      [](const Problem& p) { return p.code == plan::kNoWayBack.code; });
      if (known) return;
      work.out.problems.push_back(work.source.At(
          {}, plan::kNoWayBack,
          {absl::StrCat("`", step.name, "` cannot be undone, and what follows neither")}));
    }
  }
}

void Compile(Work& work) {
  ResolveGroups(work);
  FindSteps(work);
  CheckAgainstRelease(work);
  FindVariables(work);
  if (plan::HasErrors(work.out.problems)) return;
  SkipHostsAlreadyThere(work);
  if (work.out.nothing_to_do) return;
  CheckHosts(work);
  const std::map<std::size_t, engine::HostIx> numbers = Number(work);
  MakeTargets(work, numbers);
  work.out.rollback = PolicyOf(work.plan.rollback());
  MakeParts(work, numbers);
  CheckLimits(work);
  CheckWayBack(work);
}

}  // namespace

CompiledPlan CompilePlan(const v1::Plan& plan, const plan::SourceMap& source,
                         const v1::Release& release, const std::vector<PlanHost>& hosts,
                         const PlanOptions& options) {
  const v1::Plan filled = plan::FilledIn(plan);
  std::vector<PlanHost> sorted = hosts;
  std::sort(sorted.begin(), sorted.end(),
            [](const PlanHost& a, const PlanHost& b) { return a.id < b.id; });
  CompiledPlan out;
  Work work{filled, source, release, sorted, options, out, {}, {}, {}, {}};
  Compile(work);
  plan::SortByPlace(out.problems);
  return out;
}

absl::StatusCode CodeOf(const std::vector<Problem>& problems) {
  bool errors = false, empty = false, blocked = false;
  for (const Problem& problem : problems) {
    if (problem.severity != Problem::Severity::error) continue;
    errors = true;
    empty = empty || problem.code == plan::kEmptyGroup.code;
    blocked =
        blocked || problem.code == plan::kHostLocked.code || problem.code == plan::kNoWayBack.code;
  }
  if (!errors) return absl::StatusCode::kOk;
  if (empty) return absl::StatusCode::kNotFound;
  return blocked ? absl::StatusCode::kFailedPrecondition : absl::StatusCode::kInvalidArgument;
}

}  // namespace slipway::controller
