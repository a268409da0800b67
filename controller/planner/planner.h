// From a plan, a release and the fleet to what the engine runs: the only place where names become
// hosts and steps become payloads. Pure: the seed is an input, and so is everything known of hosts.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/model/ids.h"
#include "common/model/observed.h"
#include "common/plan/problem.h"
#include "common/plan/source_map.h"
#include "controller/engine/schedule.h"

namespace slipway::v1 {
class Plan;
class Release;
}  // namespace slipway::v1

namespace slipway::controller {

// What the controller knows of a host.
struct PlanHost {
  HostId id = {};
  std::map<std::string, std::string> labels = {};
  std::string address = {};  // how other hosts reach it
  Observed observed = {};    // by directory as it is on this host
  bool connected = true;
  std::string kept_out = {};   // "cordoned by ops-a: disk swap"; "" = takes part
  std::string locked_by = {};  // "ro-M4TZ7K (ops-a: release 2.0)"; "" = free
};

struct PlanOptions {
  std::string hosts = {};                         // selector that narrows every group; "" = all
  std::map<std::string, std::string> set = {};    // variables over those of the plan
  std::vector<std::string> accept_unproven = {};  // versions or digests, as the request has them
  std::uint64_t seed = 0;                         // order of hosts, choice of any(group)
};

struct LeftOutHost {
  HostId host = {};
  std::string why = {};
  bool operator==(const LeftOutHost&) const = default;
};

struct CompiledPlan {
  // With an error among them nothing else is to be used. In the order of the file.
  std::vector<plan::Problem> problems;
  engine::Plan plan;
  std::vector<engine::Target> targets;  // by HostIx, in the order of their names
  engine::RollbackPolicy rollback;
  std::map<engine::HostIx, Observed> before;  // of the applications that the rollout changes
  std::vector<LeftOutHost> left_out;          // matched, but kept out
  std::vector<HostId> already_there;          // proven on the release: skipped
  bool nothing_to_do = false;                 // every host is already there
};

// `plan` has no errors of its own (common/plan/plan_file.h); `source` says where its keys stand.
CompiledPlan CompilePlan(const v1::Plan& plan, const plan::SourceMap& source,
                         const v1::Release& release, const std::vector<PlanHost>& hosts,
                         const PlanOptions& options);

// What a caller of CreateRollout gets for these problems: NOT_FOUND (no host), FAILED_PRECONDITION
// (a host is locked, no way back), else INVALID_ARGUMENT. OK without errors.
absl::StatusCode CodeOf(const std::vector<plan::Problem>& problems);

}  // namespace slipway::controller
