#include "controller/rpc/plan_hosts.h"

#include <map>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "common/wire/session_codec.h"
#include "slipway/v1/agent_session.pb.h"

namespace slipway::controller {
namespace {

std::string KeptOutOf(const HostRecord& record, const LiveHost* live) {
  if (record.state == HostRecord::State::quarantined) {
    return absl::StrCat("in quarantine: ", record.state_reason);
  }
  if (live != nullptr && !live->conflict.empty() && !live->connected) return live->conflict;
  if (!record.cordon) return "";
  return absl::StrCat("cordoned by ", record.cordon->who, ": ", record.cordon->why);
}

PlanHost PlanHostOf(const HostRecord& record, const LiveHost* live) {
  PlanHost host;
  host.id = record.id;
  host.labels = LabelsOf(record, live);
  host.kept_out = KeptOutOf(record, live);
  host.connected = live != nullptr && live->connected;
  if (live == nullptr) return host;
  if (live->facts && live->facts->addresses_size() > 0) host.address = live->facts->addresses(0);
  if (live->health) host.observed = ObservedOf(*live->health);
  return host;
}

}  // namespace

Labels LabelsOf(const HostRecord& record, const LiveHost* live) {
  Labels labels = record.labels;
  if (live != nullptr && live->labels) labels.insert(live->labels->begin(), live->labels->end());
  return labels;
}

absl::StatusOr<std::vector<PlanHost>> PlanHostsOf(const HostDirectory& hosts, const FleetView& view,
                                                  Registry& registry) {
  SLIPWAY_ASSIGN_OR_RETURN(const std::vector<HostLock> locks, registry.ListLocks());
  std::map<HostId, std::string> locked;
  for (const HostLock& lock : locks) {
    locked[lock.host] = absl::StrCat(lock.rollout.text, " (", lock.who,
                                     lock.reason.empty() ? "" : ": ", lock.reason, ")");
  }
  const std::map<HostId, LiveHost> live = view.All();
  std::vector<PlanHost> all;
  for (const auto& record : hosts.All()) {
    const auto now = live.find(record->id);
    PlanHost host = PlanHostOf(*record, now == live.end() ? nullptr : &now->second);
    if (const auto lock = locked.find(record->id); lock != locked.end())
      host.locked_by = lock->second;
    all.push_back(std::move(host));
  }
  return all;
}

}  // namespace slipway::controller
