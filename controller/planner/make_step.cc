// A step's payload and traits.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/plan/plan_defaults.h"
#include "common/plan/plan_step.h"
#include "common/plan/scalar_values.h"
#include "common/plan/variables.h"
#include "common/wire/stable_bytes.h"
#include "controller/planner/action_traits.h"
#include "controller/planner/durations.h"
#include "controller/planner/work.h"

namespace slipway::controller {
namespace {

// An attempt may take this much longer than the condition that it waits for.
constexpr absl::Duration kSlack = absl::Seconds(30);

// "{{backend}}:8080" stands for each of the group's hosts.
void ExpandReach(const Work& work, v1::Preflight& preflight) {
  std::vector<std::string> endpoints;
  for (const std::string& endpoint : preflight.reach()) {
    std::vector<std::string> expanded{endpoint};
    for (const plan::VariableUse& use : plan::VariablesOf(endpoint)) {
      const auto group = work.groups.find(use.name);
      if (group == work.groups.end()) continue;
      std::vector<std::string> next;
      for (const std::string& text : expanded) {
        for (const std::size_t host : group->second.present) {
          next.push_back(plan::Substitute(text, use.name, work.hosts[host].address));
        }
      }
      expanded = std::move(next);
    }
    endpoints.insert(endpoints.end(), expanded.begin(), expanded.end());
  }
  preflight.clear_reach();
  for (std::string& endpoint : endpoints) preflight.add_reach(std::move(endpoint));
}

// How long the ladder of a stop may take.
absl::Duration LadderTime(const v1::Service& service, const v1::Stop& stop) {
  absl::Duration total = stop.has_drain() ? DurationOf(stop.drain()) : DurationOf(service.drain());
  for (const std::string& rung : stop.ladder_size() > 0 ? stop.ladder() : service.ladder()) {
    total += plan::ParseDuration(rung).value_or(absl::ZeroDuration());
  }
  return total;
}

// What the action waits for on its own; the timeout must not come first. A stop is undone by a
// start and the other way round, so each has time for both.
absl::Duration OwnTime(const Work& work, const v1::Action& action) {
  if (action.has_check()) return DurationOf(action.check().deadline());
  const v1::Service* service = ServiceNamed(work.release, ServiceOf(action));
  if (service == nullptr) return absl::ZeroDuration();
  const absl::Duration ready = action.start().has_deadline()
                                   ? DurationOf(action.start().deadline())
                                   : DurationOf(service->ready().deadline());
  return std::max(ready, LadderTime(*service, action.stop()));
}

void SetTimeout(const Work& work, const PlannedStep& step, engine::Traits& traits) {
  if (step.timeout_given) return;
  const v1::Action& action = step.step->action();
  if (action.has_run()) {
    const v1::Hook* hook = HookNamed(work.release, action.run().hook());
    if (hook != nullptr && hook->has_timeout()) traits.timeout = DurationOf(hook->timeout());
    return;
  }
  traits.timeout = std::max(traits.timeout, OwnTime(work, action) + kSlack);
}

v1::Task TaskOf(const Work& work, const std::string& phase, const std::string& step,
                const std::string& app) {
  v1::Task task;
  task.set_phase(phase);
  task.set_step(step);
  task.set_environment(work.plan.environment());
  task.set_plan(work.plan.name());
  task.set_app(app);
  *task.mutable_release() = work.release;
  task.mutable_vars()->insert(work.vars.begin(), work.vars.end());
  return task;
}

// The agent reads a hook's undo from the release: what the plan says goes in there.
void SetUndoOfHook(const v1::StepOptions& options, const std::string& path, v1::Task& task,
                   engine::Traits& traits) {
  for (v1::Hook& hook : *task.mutable_release()->mutable_hooks()) {
    if (hook.path() != path) continue;
    if (!options.undo().empty()) hook.set_undo(options.undo());
    traits.probe_decides = hook.idempotent();
    traits.undo = hook.undo() == "not_needed"                          ? engine::Undo::not_needed
                  : hook.undo() == "impossible" || hook.undo().empty() ? engine::Undo::impossible
                                                                       : engine::Undo::built_in;
  }
}

// What the host needs to know of a database; secrets stay names.
void SetTarget(const Work& work, const std::string& name, v1::DatabaseTarget& target) {
  const auto found = work.plan.database().find(name);
  if (found == work.plan.database().end()) return;  // refused long before
  const v1::PlanDatabase& database = found->second;
  target.set_name(name);
  target.set_kind(database.kind());
  target.set_url(database.url());
  target.set_migrations(database.migrations());
  target.set_invariants(database.invariants());
  *target.mutable_tables() = database.tables();
  *target.mutable_ignore() = database.fingerprint().ignore();
  if (database.has_lock_timeout()) *target.mutable_lock_timeout() = database.lock_timeout();
  if (database.has_statement_timeout()) {
    *target.mutable_statement_timeout() = database.statement_timeout();
  }
}

engine::Step StepOf(const v1::Task& task, engine::Traits traits) {
  engine::Step step;
  step.name = task.step();
  step.action = plan::ActionKey(task.action());
  step.payload = StableBytes(task);
  step.traits = traits;
  step.app = task.app();
  return step;
}

}  // namespace

engine::Step MakeStep(const Work& work, const PlannedStep& step, const std::string& phase) {
  const v1::StepOptions& options = step.step->options();
  v1::Task task = TaskOf(work, phase, options.name(), step.app);
  *task.mutable_action() = step.step->action();
  v1::Action& action = *task.mutable_action();
  engine::Traits traits = TraitsOf(action, options);
  SetTimeout(work, step, traits);
  if (action.has_run()) SetUndoOfHook(options, action.run().hook(), task, traits);
  if (action.has_preflight()) ExpandReach(work, *action.mutable_preflight());
  if (action.has_backup()) {
    SetTarget(work, action.backup().database(), *action.mutable_backup()->mutable_target());
  }
  if (action.has_migrate()) {
    SetTarget(work, action.migrate().database(), *action.mutable_migrate()->mutable_target());
  }
  if (action.has_stage() && action.stage().keep() == 0) {
    action.mutable_stage()->set_keep(plan::kKeepReleases);
  }
  if (!step.app.empty()) {
    plan::EditTexts(action, [&](std::string text) {
      text = plan::Substitute(std::move(text), "app", step.app);
      text = plan::Substitute(std::move(text), "shared", step.app + "/shared");
      return plan::Substitute(std::move(text), "current", step.app + "/current");
    });
  }
  const auto& proof = work.plan.rollback().verify().verify();
  if (proof.empty()) traits.on_rollback = false;  // switched off, with a reason
  return StepOf(task, traits);
}

engine::Step MakeBake(const Work& work, const std::vector<std::string>& apps, absl::Duration lasts,
                      const std::string& phase) {
  v1::Task task = TaskOf(work, phase, "bake", apps.front());
  v1::Bake& bake = *task.mutable_action()->mutable_bake();
  SetDuration(lasts, *bake.mutable_lasts());
  for (const std::string& app : apps) bake.add_apps(app);
  engine::Traits traits = TraitsOf(task.action(), v1::StepOptions());
  traits.timeout = lasts + kSlack;
  return StepOf(task, traits);
}

engine::Step MakeReadiness(const Work& work, const std::string& name, const std::string& app,
                           bool staged, const std::string& phase) {
  v1::Task task = TaskOf(work, phase, name, app);
  v1::Readiness& readiness = *task.mutable_action()->mutable_readiness();
  readiness.add_apps(app);
  if (staged) readiness.add_staged(app);
  for (const std::string& name : work.options.accept_unproven) readiness.add_accept_unproven(name);
  return StepOf(task, TraitsOf(task.action(), v1::StepOptions()));
}

}  // namespace slipway::controller
