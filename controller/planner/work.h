// One compilation in progress, and what the planner's files ask of each other. Private to the
// planner.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/plan/source_map.h"
#include "controller/planner/planner.h"
#include "slipway/v1/plan.pb.h"

namespace slipway::controller {

using HostNumbers = std::vector<std::size_t>;  // into Work::hosts, in the order of names
using Vars = std::map<std::string, std::string>;

struct Members {
  HostNumbers matched;      // by the selector
  HostNumbers present;      // of those, not kept out: whose addresses a variable gives
  HostNumbers taking_part;  // of those, within --hosts and not on the release already
};

// A step with all that was found out about it.
struct PlannedStep {
  const v1::PlanStep* step = nullptr;  // options filled in
  std::string path;                    // of its action in the file
  std::string group;                   // whose hosts run it; "" = a gate
  std::string app;                     // directory, variables not yet filled in; "" = none
  bool timeout_given = false;
};

struct Work {
  const v1::Plan& plan;  // filled in
  const plan::SourceMap& source;
  const v1::Release& release;
  const std::vector<PlanHost>& hosts;  // in the order of their names
  const PlanOptions& options;
  CompiledPlan& out;

  std::map<std::string, Members> groups;
  std::vector<std::vector<PlannedStep>> steps;  // by phase
  Vars vars;                                    // the same on every host
  std::vector<Vars> host_vars;                  // by host

  void AtKey(const std::string& path, const plan::ErrorCode& code, plan::Words words) {
    out.problems.push_back(source.At(source.Key(path), code, std::move(words)));
  }
  void AtValue(const std::string& path, const plan::ErrorCode& code, plan::Words words) {
    out.problems.push_back(source.At(source.Value(path), code, std::move(words)));
  }
};

// target_set.cc

// Fills work.groups and out.left_out; guards and empty groups are problems.
void ResolveGroups(Work& work);
// Takes hosts that are proven on the release out of every group.
void SkipHostsAlreadyThere(Work& work);
// Of those that are left: locks are problems, hosts that are away a warning.
void CheckHosts(Work& work);
// Directory on the host -> digest, of what the plan switches there.
std::map<std::string, std::string> WantedOn(const Work& work, std::size_t host);

// find_steps.cc

// Fills work.steps: each step's group and application.
void FindSteps(Work& work);
// Services, components and hooks that the release does not have.
void CheckAgainstRelease(Work& work);
const v1::Service* ServiceNamed(const v1::Release& release, const std::string& name);
const v1::Hook* HookNamed(const v1::Release& release, const std::string& path);
// The service that the step is about; "" = none.
std::string ServiceOf(const v1::Action& action);

// find_variables.cc

// Fills work.vars and work.host_vars, and the former into the applications of the steps.
void FindVariables(Work& work);
// Variables of the step that a host of it lacks.
void CheckVariables(Work& work, const PlannedStep& step, const HostNumbers& hosts);
// Both kinds together, as an agent merges them.
Vars VarsOn(const Work& work, std::size_t host);

// make_step.cc

engine::Step MakeStep(const Work& work, const PlannedStep& step, const std::string& phase);
engine::Step MakeBake(const Work& work, const std::vector<std::string>& apps, absl::Duration lasts,
                      const std::string& phase);
engine::Step MakeReadiness(const Work& work, const std::string& name, const std::string& app,
                           bool staged, const std::string& phase);

// make_parts.cc

// Fills out.plan; `numbers`: HostIx of each host that takes part.
void MakeParts(Work& work, const std::map<std::size_t, engine::HostIx>& numbers);

}  // namespace slipway::controller
