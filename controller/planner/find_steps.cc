// What each step is about: its group, its application, its service.
#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/nearest_name.h"
#include "common/plan/plan_step.h"
#include "controller/planner/work.h"

namespace slipway::controller {
namespace {

// The directory that the action itself names.
std::string OwnApp(const v1::Action& action) {
  switch (action.kind_case()) {
    case v1::Action::kPreflight:
      return action.preflight().app();
    case v1::Action::kStage:
      return action.stage().app();
    case v1::Action::kStop:
      return action.stop().app();
    case v1::Action::kConfigure:
      return action.configure().app();
    case v1::Action::kSwitch:
      return action.switch_().app();
    case v1::Action::kStart:
      return action.start().app();
    case v1::Action::kCheck:
      return action.check().app();
    case v1::Action::kRun:
      return action.run().app();
    default:
      return "";
  }
}

bool NeedsApp(const v1::Action& action) {
  return action.has_stop() || action.has_start() || action.has_configure();
}

// The only element, or "" when there are none or several.
std::string Sole(const std::set<std::string>& apps) {
  return apps.size() == 1 ? *apps.begin() : "";
}

// Applications of steps for which `wanted` holds.
template <typename Wanted>
std::set<std::string> AppsOf(const Work& work, Wanted wanted) {
  std::set<std::string> apps;
  for (std::size_t phase = 0; phase < work.steps.size(); ++phase) {
    for (const PlannedStep& step : work.steps[phase]) {
      if (!step.app.empty() && wanted(phase, step)) apps.insert(step.app);
    }
  }
  return apps;
}

// service -> component -> where the plan stages that, first of all on the same hosts.
std::string AppOfService(const Work& work, const std::string& name, const std::string& group) {
  const v1::Service* service = ServiceNamed(work.release, name);
  if (service == nullptr) return "";
  const auto stages = [&](const PlannedStep& step) {
    return step.step->action().has_stage() &&
           step.step->action().stage().component() == service->component();
  };
  const std::string here = Sole(AppsOf(
      work, [&](std::size_t, const PlannedStep& s) { return stages(s) && s.group == group; }));
  if (!here.empty()) return here;
  return Sole(AppsOf(work, [&](std::size_t, const PlannedStep& s) { return stages(s); }));
}

std::string AppOf(const Work& work, std::size_t phase, const PlannedStep& step) {
  const std::string service = ServiceOf(step.step->action());
  if (!service.empty()) {
    std::string app = AppOfService(work, service, step.group);
    if (!app.empty()) return app;
  }
  const auto names_app = [](const PlannedStep& other) {
    return !OwnApp(other.step->action()).empty();
  };
  for (const std::string& app :
       {Sole(AppsOf(
            work, [&](std::size_t p, const PlannedStep& s) { return p == phase && names_app(s); })),
        Sole(AppsOf(work, [&](std::size_t, const PlannedStep& s) {
          return s.group == step.group && names_app(s);
        }))}) {
    if (!app.empty()) return app;
  }
  return "";
}

template <typename Named>
std::vector<std::string> Names(const Named& things) {
  std::vector<std::string> names;
  for (const auto& thing : things) names.push_back(thing.name());
  return names;
}

void Unknown(Work& work, const std::string& path, const plan::ErrorCode& code, const char* what,
             const std::string& name, const std::vector<std::string>& known) {
  const std::string near = NearestName(name, known);
  work.AtValue(
      path, code,
      {absl::StrCat("release ", work.release.name(), " ", work.release.version(), " has no ", what,
                    " `", name, "`"),
       near.empty() ? "not in its release.yaml" : absl::StrCat("did you mean `", near, "`?")});
}

void CheckService(Work& work, const std::string& name, const std::string& path) {
  if (name.empty() || ServiceNamed(work.release, name) != nullptr) return;
  Unknown(work, path, plan::kUnknownService, "service", name, Names(work.release.services()));
}

void CheckComponent(Work& work, const std::string& name, const std::string& path) {
  const std::vector<std::string> known = Names(work.release.components());
  if (std::find(known.begin(), known.end(), name) != known.end()) return;
  Unknown(work, path, plan::kUnknownComponent, "component", name, known);
}

void CheckHook(Work& work, const PlannedStep& step) {
  std::vector<std::string> known;
  for (const v1::Hook& hook : work.release.hooks()) known.push_back(hook.path());
  const std::string& path = step.step->action().run().hook();
  const v1::Hook* hook = HookNamed(work.release, path);
  if (hook == nullptr) {
    return Unknown(work, step.path + ".hook", plan::kUnknownHook, "hook", path, known);
  }
  const std::string& own = step.step->options().undo();
  const std::string& undo = own.empty() ? hook->undo() : own;
  if (undo.empty()) {
    work.AtKey(step.path, plan::kNoWayBack,
               {absl::StrCat("nothing says how hook `", path, "` is undone"), "no undo",
                "declare `undo: not_needed` or `undo: <hook>` in release.yaml or here"});
  } else if (undo == "impossible") {
    work.AtKey(step.path, plan::kNoWayBack,
               {absl::StrCat("hook `", path, "` cannot be undone"), "no way back from here",
                "a point of no return needs `commit: true`, which is not served yet"});
  } else if (undo != "not_needed" && HookNamed(work.release, undo) == nullptr) {
    Unknown(work, own.empty() ? step.path : step.path + ".undo", plan::kUnknownHook, "hook", undo,
            known);
  }
}

// Two hosts that migrate one database would do it at the same time. A file is each host's own.
void CheckMigrate(Work& work, const PlannedStep& step) {
  const auto database = work.plan.database().find(step.step->action().migrate().database());
  const auto group = work.groups.find(step.group);
  if (database == work.plan.database().end() || group == work.groups.end()) return;
  const std::size_t hosts = group->second.matched.size();
  const v1::Migrate& asked = step.step->action().migrate();
  if (asked.rehearse() == v1::Migrate::INPLACE && asked.quiet() == v1::Migrate::NONE) {
    work.AtValue(step.path + ".quiet", plan::kBadValue,
                 {"a rehearsal on the database itself needs `quiet`",
                  "others write to it meanwhile", "write `quiet: stop`, or rehearse on a copy"});
  }
  if (database->second.kind() == v1::DatabaseTarget::SQLITE || hosts <= 1) return;
  work.AtKey(step.path, plan::kManyMigrate,
             {absl::StrCat("database `", database->first, "` would be migrated by the ", hosts,
                           " hosts of group `", step.group, "`"),
              "by one of them", "use a group of `exactly: 1`"});
}

void CheckStep(Work& work, const PlannedStep& step) {
  const v1::Action& action = step.step->action();
  CheckService(work, ServiceOf(action), step.path + (action.has_check() ? ".process" : ".service"));
  if (action.has_stage()) {
    CheckComponent(work, action.stage().component(), step.path + ".component");
  }
  if (action.has_run()) CheckHook(work, step);
  for (int i = 0; i < action.preflight().ports_of_size(); ++i) {
    CheckService(work, action.preflight().ports_of(i),
                 absl::StrCat(step.path, ".ports_of[", i, "]"));
  }
  if (action.has_migrate()) CheckMigrate(work, step);
  if (NeedsApp(action) && step.app.empty()) {
    work.AtKey(step.path, plan::kNoApp,
               {absl::StrCat("the directory of `", step.step->options().name(), "` cannot be told"),
                "which application?", "add `app: DIRECTORY`, or stage the component in this plan"});
  }
}

void WarnUnstaged(Work& work) {
  const auto staged = AppsOf(
      work, [](std::size_t, const PlannedStep& step) { return step.step->action().has_stage(); });
  for (const auto& phase : work.steps) {
    for (const PlannedStep& step : phase) {
      if (!step.step->action().has_switch_() || staged.contains(step.app)) continue;
      work.AtKey(step.path, plan::kNotStaged,
                 {absl::StrCat("`", step.app, "` is switched, but nothing is staged there"),
                  "the release must be on the host already"});
    }
  }
}

}  // namespace

const v1::Service* ServiceNamed(const v1::Release& release, const std::string& name) {
  for (const v1::Service& service : release.services()) {
    if (service.name() == name) return &service;
  }
  return nullptr;
}

const v1::Hook* HookNamed(const v1::Release& release, const std::string& path) {
  for (const v1::Hook& hook : release.hooks()) {
    if (hook.path() == path) return &hook;
  }
  return nullptr;
}

std::string ServiceOf(const v1::Action& action) {
  if (action.has_stop()) return action.stop().service();
  if (action.has_start()) return action.start().service();
  return action.has_check() ? action.check().process() : "";
}

void FindSteps(Work& work) {
  for (int p = 0; p < work.plan.phases_size(); ++p) {
    const v1::PlanPhase& phase = work.plan.phases(p);
    std::vector<PlannedStep>& steps = work.steps.emplace_back();
    for (int s = 0; s < phase.steps_size(); ++s) {
      const v1::PlanStep& step = phase.steps(s);
      const std::string path =
          absl::StrCat("phases[", p, "].steps[", s, "].", plan::ActionKey(step));
      steps.push_back({&step, path, phase.hosts().empty() ? step.options().hosts() : phase.hosts(),
                       OwnApp(step.action()), work.source.Has(path + ".timeout")});
    }
  }
  // Steps that name their application first: the others are told by them.
  for (std::size_t p = 0; p < work.steps.size(); ++p) {
    for (PlannedStep& step : work.steps[p]) {
      if (step.app.empty() && step.step->has_action()) step.app = AppOf(work, p, step);
    }
  }
}

void CheckAgainstRelease(Work& work) {
  for (const auto& phase : work.steps) {
    for (const PlannedStep& step : phase) {
      if (step.step->has_action()) CheckStep(work, step);
    }
  }
  WarnUnstaged(work);
}

}  // namespace slipway::controller
