// Phases and steps as the parts that the engine cuts into batches.
#include <algorithm>
#include <set>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "common/plan/plan_people.h"
#include "controller/planner/durations.h"
#include "controller/planner/work.h"

namespace slipway::controller {
namespace {

constexpr char kReadiness[] = "readiness";

engine::Share ShareOf(const v1::Share& share) {
  return {static_cast<int>(share.count()), static_cast<int>(share.percent())};
}

engine::Gate::OnTimeout OnTimeoutOf(v1::PlanApprove::OnTimeout choice) {
  switch (choice) {
    case v1::PlanApprove::ROLLBACK:
      return engine::Gate::OnTimeout::roll_back;
    case v1::PlanApprove::FAIL:
      return engine::Gate::OnTimeout::abort;
    default:
      return engine::Gate::OnTimeout::hold;
  }
}

bool IsDisruptive(const engine::Part& part) {
  return std::any_of(part.steps.begin(), part.steps.end(),
                     [](const engine::Step& step) { return step.traits.disruptive; });
}

bool IsApproval(const engine::Part& part, std::uint16_t phase) {
  return part.phase == phase && part.before.kind == engine::Gate::Kind::approval;
}

class PartsMaker {
 public:
  PartsMaker(Work& work, const std::map<std::size_t, engine::HostIx>& numbers)
      : work_(work), numbers_(numbers) {}

  void Run() {
    for (std::size_t p = 0; p < work_.steps.size(); ++p) AddPhase(p);
    AddReadiness();
    work_.out.plan = std::move(plan_);
  }

 private:
  void AddPhase(std::size_t p) {
    const v1::PlanPhase& phase = work_.plan.phases(static_cast<int>(p));
    phase_ = static_cast<std::uint16_t>(plan_.phases.size());
    plan_.phases.push_back({phase.phase(), MaxFailed(phase, p), DurationOf(phase.takes())});
    const std::size_t begin = plan_.parts.size();
    if (phase.hosts().empty()) {
      for (const PlannedStep& step : work_.steps[p]) AddAlone(phase, step);
    } else {
      AddBatched(phase, work_.steps[p]);
    }
    // Nobody is asked about a phase in which nothing happens.
    if (phase.has_approve() && plan_.parts.size() > begin) {
      const auto at = static_cast<std::ptrdiff_t>(begin);
      plan_.parts.insert(plan_.parts.begin() + at, ApprovalOf(phase.approve()));
      part_steps_.insert(part_steps_.begin() + at, std::vector<PlannedStep>());
    }
  }

  // A part of its own without hosts: what comes next waits for it.
  engine::Part ApprovalOf(const v1::PlanApprove& approve) const {
    engine::Part part;
    part.phase = phase_;
    engine::Gate& gate = part.before;
    gate.kind = engine::Gate::Kind::approval;
    gate.role = approve.by();
    gate.text = approve.question();
    gate.within = DurationOf(approve.within());
    gate.on_timeout = OnTimeoutOf(approve.on_timeout());
    gate.people = plan::OperatorsOf(work_.plan, approve.by());
    gate.approvals = static_cast<int>(approve.people());
    return part;
  }

  HostNumbers HostsOf(const std::string& group) const {
    const auto it = work_.groups.find(group);
    return it == work_.groups.end() ? HostNumbers() : it->second.taking_part;
  }

  // A share is of the phase's hosts, rounded down and never below 1.
  int MaxFailed(const v1::PlanPhase& phase, std::size_t p) {
    const bool batched = !phase.hosts().empty();
    const v1::Share& share =
        batched ? phase.strategy().max_failed() : work_.plan.strategy().max_failed();
    std::set<std::size_t> hosts;
    for (const PlannedStep& step : work_.steps[p]) {
      const HostNumbers group = HostsOf(step.group);
      hosts.insert(group.begin(), group.end());
    }
    if (share.percent() == 0) return static_cast<int>(share.count());
    const std::size_t part = hosts.size() * share.percent() / 100;
    if (part == 0 && !hosts.empty()) {
      work_.AtKey(absl::StrCat("phases[", p, "]"), plan::kGenerousBudget,
                  {absl::StrCat(share.percent(), "% of ", hosts.size(),
                                " hosts is less than one: one may fail"),
                   "rounded up to 1 host", "write `max_failed: 0` to tolerate none"});
    }
    return static_cast<int>(std::max<std::size_t>(part, 1));
  }

  engine::Part NewPart(const std::string& group) const {
    engine::Part part;
    part.phase = phase_;
    for (const std::size_t host : HostsOf(group)) part.hosts.push_back(numbers_.at(host));
    return part;
  }

  void AddAlone(const v1::PlanPhase& phase, const PlannedStep& step) {
    if (step.step->has_wait()) return AddWait(*step.step);
    if (step.step->has_approve()) return Add(ApprovalOf(step.step->approve()), {});
    engine::Part part = NewPart(step.group);
    if (part.hosts.empty()) return;
    CheckVariables(work_, step, HostsOf(step.group));
    if (step.step->action().has_migrate()) AddQuiet(phase, step);
    part.steps.push_back(MakeStep(work_, step, phase.phase()));
    const v1::Action& action = step.step->action();
    // A switch of what is started later is judged when it runs.
    if (action.has_start() || (action.has_switch_() && !IsStartedLater(step))) {
      part.strategy.bake =
          MakeBake(work_, {step.app}, DurationOf(work_.plan.strategy().bake()), phase.phase());
    }
    if (!action.has_migrate()) WarnWhenAllDown(part, step.group, part.hosts.size(), step.path);
    Add(std::move(part), {step});
  }

  // `quiet: stop`: whatever the plan starts later on the hosts that use the database is stopped
  // before it is migrated; on the way back the stop's undo starts what was there.
  void AddQuiet(const v1::PlanPhase& phase, const PlannedStep& migrate) {
    const v1::Migrate& asked = migrate.step->action().migrate();
    if (asked.quiet() != v1::Migrate::STOP) return;
    for (const std::string& group : work_.plan.database().at(asked.database()).used_by()) {
      std::set<std::string> stopped;
      for (const auto& steps : work_.steps) {
        for (const PlannedStep& start : steps) {
          const std::string& service = start.step->action().start().service();
          if (!start.step->action().has_start() || start.group != group) continue;
          if (!stopped.insert(start.app + " " + service).second) continue;
          AddStop(phase, start);
        }
      }
      if (!stopped.empty()) continue;
      work_.AtKey(migrate.path + ".quiet", plan::kNotStarted,
                  {absl::StrCat("`quiet: stop` stops what group `", group,
                                "` runs, and the plan starts nothing there"),
                   "it would stay stopped", "`start` its services after the migration"});
    }
  }

  // The service of `start`, on its hosts all at once.
  void AddStop(const v1::PlanPhase& phase, const PlannedStep& start) {
    engine::Part part = NewPart(start.group);
    if (part.hosts.empty()) return;
    v1::PlanStep step;
    *step.mutable_options() = start.step->options();
    step.mutable_options()->set_name("stop " + start.step->action().start().service());
    v1::Stop& stop = *step.mutable_action()->mutable_stop();
    stop.set_service(start.step->action().start().service());
    stop.set_app(start.step->action().start().app());
    part.steps.push_back(
        MakeStep(work_, {&step, start.path, start.group, start.app, false}, phase.phase()));
    Add(std::move(part), {});
  }

  bool IsStartedLater(const PlannedStep& switched) const {
    for (const auto& phase : work_.steps) {
      for (const PlannedStep& step : phase) {
        if (step.step->action().has_start() && step.app == switched.app) return true;
      }
    }
    return false;
  }

  void AddWait(const v1::PlanStep& step) {
    engine::Part part;
    part.phase = phase_;
    part.before.kind = engine::Gate::Kind::wait;
    part.before.text = step.options().name();
    part.before.within = DurationOf(step.wait().lasts());
    Add(std::move(part), {});
  }

  void AddBatched(const v1::PlanPhase& phase, const std::vector<PlannedStep>& steps) {
    engine::Part part = NewPart(phase.hosts());
    if (part.hosts.empty()) return;
    std::vector<std::string> changed;
    for (const PlannedStep& step : steps) {
      CheckVariables(work_, step, HostsOf(phase.hosts()));
      part.steps.push_back(MakeStep(work_, step, phase.phase()));
      const v1::Action& action = step.step->action();
      if (!action.has_start() && !action.has_switch_()) continue;
      if (std::find(changed.begin(), changed.end(), step.app) == changed.end()) {
        changed.push_back(step.app);
      }
    }
    const v1::Strategy& strategy = phase.strategy();
    part.strategy.canary = ShareOf(strategy.canary().hosts());
    for (const v1::Share& share : strategy.batch()) part.strategy.ramp.push_back(ShareOf(share));
    if (!changed.empty()) {
      part.strategy.canary_bake =
          MakeBake(work_, changed, DurationOf(strategy.canary().bake()), phase.phase());
      part.strategy.bake = MakeBake(work_, changed, DurationOf(strategy.bake()), phase.phase());
    }
    const auto sizes =
        engine::BatchSizes(part.hosts.size(), part.strategy.canary, part.strategy.ramp);
    WarnWhenAllDown(part, phase.hosts(), *std::max_element(sizes.begin(), sizes.end()),
                    steps.front().path.substr(0, steps.front().path.find('.')));
    Add(std::move(part), steps);
  }

  void WarnWhenAllDown(const engine::Part& part, const std::string& group, std::size_t at_once,
                       const std::string& path) {
    const std::size_t all = work_.groups.at(group).matched.size();
    if (!IsDisruptive(part) || at_once < all) return;
    work_.AtKey(
        path, plan::kGroupDown,
        {all == 1
             ? absl::StrCat("the only host of group `", group, "` is taken down")
             : absl::StrCat("all ", all, " hosts of group `", group, "` are taken down at once"),
         "nobody of the group answers meanwhile",
         all == 1 ? "" : "run the phase in batches: `hosts` on the phase, a smaller `batch`"});
  }

  void Add(engine::Part part, std::vector<PlannedStep> steps) {
    plan_.parts.push_back(std::move(part));
    part_steps_.push_back(std::move(steps));
  }

  std::vector<std::string> AppsOf(std::size_t part) const {
    std::vector<std::string> apps;
    for (const engine::Step& step : plan_.parts[part].steps) {
      if (step.traits.disruptive && !step.app.empty()) apps.push_back(step.app);
    }
    return apps;
  }

  bool IsStagedBefore(std::size_t end, const std::string& app) const {
    for (std::size_t p = 0; p < end; ++p) {
      for (const PlannedStep& step : part_steps_[p]) {
        if (step.step->action().has_stage() && step.app == app) return true;
      }
    }
    return false;
  }

  // A phase of its own before the first disruptive part: a failure in it is never tolerated, and
  // nothing has been touched. Hosts with the same applications make one batch.
  void AddReadiness() {
    const auto first = std::find_if(plan_.parts.begin(), plan_.parts.end(), IsDisruptive);
    if (first == plan_.parts.end()) return;
    auto at = static_cast<std::size_t>(first - plan_.parts.begin());
    // Nobody is asked before it is known that the way back is there.
    if (at > 0 && IsApproval(plan_.parts[at - 1], first->phase)) --at;
    std::map<engine::HostIx, std::set<std::string>> apps_of;
    for (std::size_t p = at; p < plan_.parts.size(); ++p) {
      for (const std::string& app : AppsOf(p)) {
        for (const engine::HostIx host : plan_.parts[p].hosts) apps_of[host].insert(app);
      }
    }
    std::map<std::set<std::string>, std::vector<engine::HostIx>> hosts_of;
    for (const auto& [host, apps] : apps_of) hosts_of[apps].push_back(host);
    if (hosts_of.empty()) return;

    const std::uint16_t phase = first->phase;
    plan_.phases.insert(plan_.phases.begin() + phase, {NameOfReadiness(), 0, absl::ZeroDuration()});
    for (std::size_t p = 0; p < plan_.parts.size(); ++p) {
      const bool later = plan_.parts[p].phase >= phase;
      if (later) ++plan_.parts[p].phase;
    }
    std::vector<engine::Part> parts;
    for (const auto& [apps, hosts] : hosts_of) {
      engine::Part part;
      part.phase = phase;
      part.hosts = hosts;
      for (const std::string& app : apps) {
        const std::string name =
            apps.size() == 1 ? kReadiness
                             : absl::StrCat(kReadiness, " ", app.substr(app.rfind('/') + 1));
        part.steps.push_back(
            MakeReadiness(work_, name, app, IsStagedBefore(at, app), NameOfReadiness()));
      }
      parts.push_back(std::move(part));
    }
    plan_.parts.insert(plan_.parts.begin() + static_cast<std::ptrdiff_t>(at), parts.begin(),
                       parts.end());
  }

  std::string NameOfReadiness() const {
    for (const v1::PlanPhase& phase : work_.plan.phases()) {
      if (phase.phase() == kReadiness) return "slipway-readiness";
    }
    return kReadiness;
  }

  Work& work_;
  const std::map<std::size_t, engine::HostIx>& numbers_;
  engine::Plan plan_;
  std::vector<std::vector<PlannedStep>> part_steps_;  // beside plan_.parts, until readiness is in
  std::uint16_t phase_ = 0;
};

}  // namespace

void MakeParts(Work& work, const std::map<std::size_t, engine::HostIx>& numbers) {
  PartsMaker(work, numbers).Run();
}

}  // namespace slipway::controller
