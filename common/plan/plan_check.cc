#include "common/plan/plan_check.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "common/nearest_name.h"
#include "common/plan/check_parts.h"
#include "common/plan/plan_step.h"
#include "slipway/v1/plan.pb.h"

namespace slipway::plan {
namespace {

std::string StepPath(const std::string& phase, int step) {
  return absl::StrCat(phase, ".steps[", step, "]");
}

void CheckGroupName(Check& check, const std::string& group, const std::string& path) {
  if (group.empty() || check.plan.groups().contains(group)) return;
  std::vector<std::string> groups;
  for (const auto& [name, unused] : check.plan.groups()) groups.push_back(name);
  std::sort(groups.begin(), groups.end());
  const std::string near = NearestName(group, groups);
  check.AtValue(path, kUnknownGroup,
                {absl::StrCat("unknown group `", group, "`"),
                 near.empty() ? "not in `groups`" : absl::StrCat("did you mean `", near, "`?")});
}

// A phase is batched or stepwise: where a step gets its hosts from has one answer.
void CheckHosts(Check& check, const v1::PlanPhase& phase, const v1::PlanStep& step,
                const std::string& path) {
  if (step.has_wait() || step.has_approve()) return;
  const bool batched = !phase.hosts().empty();
  const std::string hosts = path + ".hosts";
  if (batched && check.source.Has(hosts)) {
    check.AtKey(
        hosts, kMixedPhase,
        {absl::StrCat("phase `", phase.phase(), "` is batched, and a step has hosts of its own"),
         absl::StrCat("every step of it runs on `", phase.hosts(), "`"),
         "remove it, or give each step `hosts` and the phase none"});
  } else if (!batched && step.options().hosts().empty()) {
    check.AtKey(path, kMixedPhase,
                {absl::StrCat("`", ActionKey(step), "` has no hosts"), "on which group?",
                 "add `hosts: GROUP` to the step, or to the phase for all of its steps"});
  }
  CheckGroupName(check, step.options().hosts(), hosts);
}

void CheckOptions(Check& check, const v1::PlanStep& step, const std::string& path) {
  const std::string action = ActionKey(step);
  const auto misplaced = [&](const char* key, const std::string& why) {
    const std::string at = absl::StrCat(path, ".", key);
    if (!check.source.Has(at)) return;
    check.AtKey(at, kMisplacedKey,
                {absl::StrCat("`", key, "` has no effect on `", action, "`"), why});
  };
  if (action != "check") misplaced("on_rollback", "only checks run again after a rollback");
  if (action != "run") misplaced("undo", "only hooks need one; each other action has its own");
  misplaced("because", "nothing can be switched off at a step");
  if (action == "wait" || action == "approve") {
    for (const char* key : {"hosts", "timeout", "deadline", "retries", "unreachable"}) {
      misplaced(key, action == "wait" ? "a wait runs on no host" : "an approval runs on no host");
    }
  }
  if (step.options().retries() > 100) {
    check.AtValue(
        path + ".retries", kBadValue,
        {absl::StrCat(step.options().retries(), " retries are no way to success"), "at most 100"});
  }
  if (step.options().has_timeout() && step.options().timeout().seconds() == 0 &&
      step.options().timeout().nanos() == 0) {
    check.AtValue(path + ".timeout", kBadValue, {"a timeout of no time", "at least 1ms"});
  }
}

void CheckNames(Check& check) {
  std::map<std::string, Span> phases;
  for (int i = 0; i < check.plan.phases_size(); ++i) {
    const v1::PlanPhase& phase = check.plan.phases(i);
    const std::string path = absl::StrCat("phases[", i, "]");
    const Span span = check.source.Value(path + ".phase");
    const auto [first, fresh] = phases.try_emplace(phase.phase(), span);
    if (!fresh && !phase.phase().empty()) {
      check.AtValue(path + ".phase", kDuplicateName,
                    {absl::StrCat("two phases are named `", phase.phase(), "`"),
                     absl::StrCat("the first stands in line ", first->second.line)});
    }
    std::map<std::string, Span> steps;
    for (int j = 0; j < phase.steps_size(); ++j) {
      const std::string& name = phase.steps(j).options().name();
      const std::string at =
          absl::StrCat(StepPath(path, j), ".", ActionKey(phase.steps(j)), ".name");
      if (name.empty()) continue;
      const auto [before, unused] = steps.try_emplace(name, check.source.Value(at));
      if (unused) continue;
      check.AtValue(
          at, kDuplicateName,
          {absl::StrCat("two steps of phase `", phase.phase(), "` are named `", name, "`"),
           absl::StrCat("the first stands in line ", before->second.line)});
    }
  }
}

}  // namespace

void CheckPhase(Check& check, const v1::PlanPhase& phase, const std::string& path) {
  if (!phase.phase().empty() && !IsName(phase.phase())) {
    check.AtValue(path + ".phase", kBadName,
                  {absl::StrCat("`", phase.phase(), "` cannot be a name"),
                   "letters, digits and _.-, at most 64"});
  }
  if (phase.steps().empty() && check.source.Has(path + ".steps")) {
    check.AtKey(path + ".steps", kEmptyPhase,
                {absl::StrCat("phase `", phase.phase(), "` has no steps"), "nothing to do"});
  }
  CheckGroupName(check, phase.hosts(), path + ".hosts");
  if (phase.has_approve()) CheckApprove(check, phase.approve(), path + ".approve");
  if (phase.has_strategy()) {
    CheckStrategy(check, phase.strategy(), path + ".strategy");
    if (phase.hosts().empty()) {
      check.AtKey(path + ".strategy", kMisplacedStrategy,
                  {absl::StrCat("phase `", phase.phase(), "` is stepwise and has a strategy"),
                   "each step runs on all of its hosts at once",
                   "give the phase `hosts` to run it batch by batch"});
    }
  }
  for (int i = 0; i < phase.steps_size(); ++i) {
    const v1::PlanStep& step = phase.steps(i);
    const std::string action = ActionKey(step);
    if (action.empty()) continue;  // refused by the binder
    const std::string at = absl::StrCat(StepPath(path, i), ".", action);
    CheckHosts(check, phase, step, at);
    CheckOptions(check, step, at);
    CheckAction(check, step, at);
    CheckVariables(check, step, at);
    if (step.has_wait() && !phase.hosts().empty()) {
      check.AtKey(at, kMisplacedKey,
                  {absl::StrCat("phase `", phase.phase(), "` is batched and has a wait"),
                   "hosts of a batch run ahead of each other",
                   "put the wait into a stepwise phase, or use `bake`"});
    }
    if (step.has_approve() && !phase.hosts().empty()) {
      check.AtKey(at, kMisplacedKey,
                  {absl::StrCat("phase `", phase.phase(), "` is batched and has an approval"),
                   "hosts of a batch run ahead of each other",
                   "write `approve` beside `hosts`, or put the step into a stepwise phase"});
    }
  }
}

std::vector<Problem> CheckPlan(const v1::Plan& plan, const SourceMap& source) {
  std::vector<Problem> problems;
  Check check{plan, source, problems};
  CheckHead(check);
  CheckPeople(check);
  if (plan.phases().empty() && source.Has("phases")) {
    check.AtKey("phases", kEmptyPhase, {"the plan has no phases", "nothing to do"});
  }
  if (plan.has_strategy()) CheckStrategy(check, plan.strategy(), "strategy");
  CheckNames(check);
  for (int i = 0; i < plan.phases_size(); ++i) {
    CheckPhase(check, plan.phases(i), absl::StrCat("phases[", i, "]"));
  }
  CheckDatabases(check);
  CheckRollback(check);
  SortByPlace(problems);
  return problems;
}

}  // namespace slipway::plan
