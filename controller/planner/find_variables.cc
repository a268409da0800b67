// What `{{variables}}` stand for, and whether each is defined where it is used.
#include <algorithm>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/nearest_name.h"
#include "common/plan/plan_defaults.h"
#include "common/plan/variables.h"
#include "controller/planner/work.h"

namespace slipway::controller {
namespace {

// Every command carries them: a larger group has no place in a template.
constexpr std::size_t kGroupAddressesMax = 100;

bool IsBuiltIn(const std::string& name) {
  return std::find(plan::kBuiltInVariables.begin(), plan::kBuiltInVariables.end(), name) !=
         plan::kBuiltInVariables.end();
}

// Directories of the step's application.
bool IsOfApp(const std::string& name) {
  return name == "app" || name == "shared" || name == "current";
}

// One of the group's hosts, the same all through the rollout.
std::size_t AnyOf(const HostNumbers& hosts, std::uint64_t seed) {
  std::uint64_t z = seed + 0x9E3779B97F4A7C15ULL;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return hosts[static_cast<std::size_t>((z ^ (z >> 31)) % hosts.size())];
}

void AddGroups(Work& work) {
  for (const auto& [name, members] : work.groups) {
    if (members.present.empty()) continue;
    std::vector<std::string> addresses;
    for (const std::size_t host : members.present) addresses.push_back(work.hosts[host].address);
    if (addresses.size() <= kGroupAddressesMax) work.vars[name] = absl::StrJoin(addresses, ",");
    work.vars[absl::StrCat("any(", name, ")")] =
        work.hosts[AnyOf(members.present, work.options.seed)].address;
  }
}

// Ports of the services that the plan's steps name on each host.
std::vector<std::set<std::uint32_t>> PortsByHost(const Work& work) {
  std::vector<std::set<std::uint32_t>> ports(work.hosts.size());
  for (const auto& phase : work.steps) {
    for (const PlannedStep& step : phase) {
      const v1::Service* service = ServiceNamed(work.release, ServiceOf(step.step->action()));
      const auto group = work.groups.find(step.group);
      if (service == nullptr || service->port() == 0 || group == work.groups.end()) continue;
      for (const std::size_t host : group->second.present) ports[host].insert(service->port());
    }
  }
  return ports;
}

Vars VarsOfHost(const Work& work, const PlanHost& host, const std::set<std::uint32_t>& ports) {
  Vars vars{{"host", host.id.text}, {"address", host.address}};
  if (ports.size() == 1) vars["port"] = absl::StrCat(*ports.begin());
  for (const auto& [name, value] : host.labels) {
    vars["label." + name] = value;
    const bool meant_for_us = name == "port" || name == "root";
    if (meant_for_us || (!IsBuiltIn(name) && !work.vars.contains(name))) vars[name] = value;
  }
  return vars;
}

}  // namespace

void FindVariables(Work& work) {
  const v1::Plan& plan = work.plan;
  work.vars = Vars(plan.vars().begin(), plan.vars().end());
  for (const auto& [name, value] : work.options.set) {
    if (IsBuiltIn(name) || plan.groups().contains(name)) {
      work.out.problems.push_back(
          work.source.At({}, plan::kBadVariable,
                         {absl::StrCat("--set ", name, ": `", name, "` is a variable already"), "",
                          "choose another name"}));
    }
    work.vars[name] = value;
  }
  work.vars["environment"] = plan.environment();
  work.vars["release.name"] = work.release.name();
  work.vars["release.version"] = work.release.version();
  work.vars["release.digest"] = work.release.digest();
  AddGroups(work);
  const std::vector<std::set<std::uint32_t>> ports = PortsByHost(work);
  for (std::size_t i = 0; i < work.hosts.size(); ++i) {
    work.host_vars.push_back(VarsOfHost(work, work.hosts[i], ports[i]));
  }
  // What is left in an application's directory is the host's own to fill in.
  for (auto& phase : work.steps) {
    for (PlannedStep& step : phase) {
      for (const plan::VariableUse& use : plan::VariablesOf(step.app)) {
        const auto var = work.vars.find(use.name);
        if (var != work.vars.end()) {
          step.app = plan::Substitute(step.app, use.name, var->second);
        }
      }
    }
  }
}

Vars VarsOn(const Work& work, std::size_t host) {
  Vars vars = work.vars;
  vars.insert(work.host_vars[host].begin(), work.host_vars[host].end());
  return vars;
}

void CheckVariables(Work& work, const PlannedStep& step, const HostNumbers& hosts) {
  const std::string parent = step.path.substr(0, step.path.rfind('.'));
  const auto check = [&](const std::string& path, const std::string& name) {
    const auto group = work.groups.find(name);
    if (group != work.groups.end()) {
      const bool takes_all = path.find(".reach[") != std::string::npos;
      if (takes_all || group->second.present.size() == 1) return;
      work.AtValue(path, plan::kBadVariable,
                   {absl::StrCat("group `", name, "` has ", group->second.present.size(),
                                 " hosts, and one is needed here"),
                    absl::StrCat("write `{{any(", name, ")}}` for one of them")});
      return;
    }
    if (work.vars.contains(name) || (IsOfApp(name) && !step.app.empty())) return;
    for (const std::size_t host : hosts) {
      if (work.host_vars[host].contains(name)) continue;
      std::vector<std::string> known;
      for (const auto& [defined, value] : VarsOn(work, host)) known.push_back(defined);
      const std::string near = NearestName(name, known);
      work.AtValue(
          path, plan::kBadVariable,
          {absl::StrCat("`{{", name, "}}` is not defined on host ", work.hosts[host].id.text),
           near.empty() ? "no label, variable or group has this name"
                        : absl::StrCat("did you mean `{{", near, "}}`?")});
      return;
    }
  };
  plan::VisitTexts(step.step->action(), parent,
                   [&](const std::string& path, const std::string& text) {
                     for (const plan::VariableUse& use : plan::VariablesOf(text))
                       check(path, use.name);
                   });
}

}  // namespace slipway::controller
