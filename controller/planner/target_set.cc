// Which hosts take part.
#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/selector.h"
#include "common/template.h"
#include "controller/planner/work.h"

namespace slipway::controller {
namespace {

using plan::ErrorCode;

std::set<std::string> UsedGroups(const v1::Plan& plan) {
  std::set<std::string> used;
  for (const v1::PlanPhase& phase : plan.phases()) {
    used.insert(phase.hosts());
    for (const v1::PlanStep& step : phase.steps()) used.insert(step.options().hosts());
  }
  used.erase("");
  return used;
}

std::string NamesOf(const Work& work, const HostNumbers& numbers) {
  constexpr std::size_t kShown = 10;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < numbers.size() && i < kShown; ++i) {
    names.push_back(work.hosts[numbers[i]].id.text);
  }
  std::string text = absl::StrJoin(names, ", ");
  if (numbers.size() > kShown) absl::StrAppend(&text, " and ", numbers.size() - kShown, " more");
  return text;
}

Members MembersOf(const Work& work, const Selector& selector, const Selector& narrowed) {
  Members members;
  for (std::size_t i = 0; i < work.hosts.size(); ++i) {
    const PlanHost& host = work.hosts[i];
    if (!selector.Matches(host.id.text, host.labels)) continue;
    members.matched.push_back(i);
    if (!host.kept_out.empty()) continue;
    members.present.push_back(i);
    if (narrowed.Matches(host.id.text, host.labels)) members.taking_part.push_back(i);
  }
  return members;
}

void CheckSize(Work& work, const std::string& name, const Members& members) {
  const v1::PlanGroup& group = work.plan.groups().at(name);
  const std::string path = absl::StrCat("groups.", name);
  if (members.matched.empty()) {
    return work.AtValue(
        path + ".select", plan::kEmptyGroup,
        {absl::StrCat("group `", name, "` matches no host"), "nobody has these labels",
         "`slipway fleet status` lists hosts and labels"});
  }
  if (members.present.empty()) {
    return work.AtKey(path, plan::kEmptyGroup,
                      {absl::StrCat("no host of group `", name, "` takes part"),
                       absl::StrCat(NamesOf(work, members.matched), ": ",
                                    work.hosts[members.matched[0]].kept_out)});
  }
  if (group.exactly() != 0 && members.matched.size() != group.exactly()) {
    work.AtValue(path + ".exactly", plan::kGuardBroken,
                 {absl::StrCat("group `", name, "` has ", members.matched.size(), " hosts, not ",
                               group.exactly()),
                  NamesOf(work, members.matched)});
  }
  if (members.present.size() < group.min()) {
    const std::size_t kept_out = members.matched.size() - members.present.size();
    work.AtValue(
        path + ".min", plan::kGuardBroken,
        {absl::StrCat("group `", name, "` has ", members.present.size(), " hosts that take part, ",
                      group.min(), " are needed"),
         kept_out == 0 ? NamesOf(work, members.present) : absl::StrCat(kept_out, " kept out")});
  }
}

HostNumbers TakingPart(const Work& work) {
  std::set<std::size_t> hosts;
  for (const auto& [name, members] : work.groups) {
    hosts.insert(members.taking_part.begin(), members.taking_part.end());
  }
  return {hosts.begin(), hosts.end()};
}

// Whether a service of the release runs from the application, as far as the plan tells.
bool HasService(const Work& work, const std::string& app) {
  for (const auto& phase : work.steps) {
    for (const PlannedStep& step : phase) {
      const v1::Action& action = step.step->action();
      if (step.app != app) continue;
      if (action.has_start()) return true;
      if (!action.has_stage()) continue;
      for (const v1::Service& service : work.release.services()) {
        if (service.component() == action.stage().component()) return true;
      }
    }
  }
  return false;
}

bool Contains(const HostNumbers& numbers, std::size_t host) {
  return std::binary_search(numbers.begin(), numbers.end(), host);
}

bool IsProven(const Work& work, std::size_t host, const std::string& app) {
  const absl::StatusOr<std::string> directory = Render(app, VarsOn(work, host));
  if (!directory.ok()) return false;
  const auto version = work.hosts[host].observed.find(*directory);
  if (version == work.hosts[host].observed.end()) return false;
  const std::string& digest = work.release.digest();
  if (version->second.on_disk != digest) return false;
  if (!HasService(work, app)) return true;
  return version->second.running == digest && version->second.healthy;
}

// Applications that the plan switches on the host, as the plan writes them.
std::set<std::string> SwitchedOn(const Work& work, std::size_t host) {
  std::set<std::string> apps;
  for (const auto& phase : work.steps) {
    for (const PlannedStep& step : phase) {
      if (!step.step->action().has_switch_()) continue;
      const auto group = work.groups.find(step.group);
      if (group != work.groups.end() && Contains(group->second.present, host))
        apps.insert(step.app);
    }
  }
  return apps;
}

}  // namespace

void ResolveGroups(Work& work) {
  Selector narrowed;
  if (const auto error = ReadSelector(work.options.hosts, narrowed); error.has_value()) {
    work.out.problems.push_back(
        work.source.At({}, plan::kBadSelector,
                       {absl::StrCat("--hosts \"", work.options.hosts, "\": ", error->message)}));
    return;
  }
  const std::set<std::string> used = UsedGroups(work.plan);
  std::set<std::size_t> matched, taking_part;
  for (const auto& [name, group] : work.plan.groups()) {
    Selector selector;
    if (ReadSelector(group.select(), selector).has_value())
      continue;  // reported by the file's checks
    const Members& members = work.groups[name] = MembersOf(work, selector, narrowed);
    CheckSize(work, name, members);
    if (!used.contains(name)) continue;
    matched.insert(members.matched.begin(), members.matched.end());
    taking_part.insert(members.taking_part.begin(), members.taking_part.end());
  }
  if (taking_part.empty() && !matched.empty() && !work.options.hosts.empty()) {
    work.out.problems.push_back(work.source.At(
        {}, plan::kEmptyGroup,
        {absl::StrCat("--hosts \"", work.options.hosts, "\" leaves no host of any group")}));
  }
  for (const std::size_t i : matched) {
    const PlanHost& host = work.hosts[i];
    if (!host.kept_out.empty()) work.out.left_out.push_back({host.id, host.kept_out});
  }
}

void CheckHosts(Work& work) {
  HostNumbers away;
  for (const std::size_t i : TakingPart(work)) {
    const PlanHost& host = work.hosts[i];
    if (!host.locked_by.empty()) {
      work.out.problems.push_back(work.source.At(
          {}, plan::kHostLocked,
          {absl::StrCat("host ", host.id.text, " is held by rollout ", host.locked_by), "",
           "wait until it is over, or abort it"}));
    } else if (!host.connected) {
      away.push_back(i);
    }
  }
  if (away.empty()) return;
  work.out.problems.push_back(
      work.source.At({}, plan::kHostAway,
                     {absl::StrCat(away.size() == 1 ? "a host is" : "hosts are",
                                   " not connected: ", NamesOf(work, away))}));
}

std::map<std::string, std::string> WantedOn(const Work& work, std::size_t host) {
  std::map<std::string, std::string> wanted;
  for (const std::string& app : SwitchedOn(work, host)) {
    const absl::StatusOr<std::string> directory = Render(app, VarsOn(work, host));
    if (directory.ok()) wanted[*directory] = work.release.digest();
  }
  return wanted;
}

void SkipHostsAlreadyThere(Work& work) {
  std::set<std::size_t> there;
  bool changes_any = false;
  for (const std::size_t host : TakingPart(work)) {
    const std::set<std::string> apps = SwitchedOn(work, host);
    if (apps.empty()) continue;
    const bool proven = std::all_of(apps.begin(), apps.end(), [&](const std::string& app) {
      return IsProven(work, host, app);
    });
    if (proven) there.insert(host);
    changes_any = changes_any || !proven;
  }
  work.out.nothing_to_do = !there.empty() && !changes_any;
  for (const std::size_t host : there) work.out.already_there.push_back(work.hosts[host].id);
  for (auto& [name, members] : work.groups) {
    std::erase_if(members.taking_part, [&](std::size_t host) { return there.contains(host); });
  }
}

}  // namespace slipway::controller
