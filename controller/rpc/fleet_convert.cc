#include "controller/rpc/fleet_convert.h"

#include <algorithm>
#include <map>
#include <string>

#include "common/wire/proto_time.h"
#include "controller/rpc/plan_hosts.h"
#include "slipway/v1/agent_session.pb.h"
#include "slipway/v1/fleet.pb.h"

namespace slipway::controller {
namespace {

v1::Host::State StateOf(const HostFacts& facts) {
  if (facts.record.state == HostRecord::State::quarantined) return v1::Host::QUARANTINED;
  if (facts.live != nullptr && facts.live->connected) return v1::Host::CONNECTED;
  if (facts.live != nullptr && !facts.live->conflict.empty()) return v1::Host::QUARANTINED;
  const bool seen = facts.live != nullptr || facts.record.last_seen != absl::InfinitePast();
  return seen ? v1::Host::SILENT : v1::Host::ENROLLED;
}

void ConvertLive(const LiveHost& live, v1::Host& host) {
  SetProto(live.connected_since, host.mutable_connected_since());
  host.set_agent_version(live.agent_version);
  if (live.facts) *host.mutable_facts() = *live.facts;
  if (live.health) *host.mutable_health() = *live.health;
  host.set_clock_offset_us(absl::ToInt64Microseconds(live.clock_offset));
  host.set_round_trip_us(static_cast<std::uint32_t>(absl::ToInt64Microseconds(live.round_trip)));
}

// Drift is what differs from the wish, or what runs from what lies on the disk.
bool Differs(const std::string& wanted, const std::string& on_disk, const std::string& running) {
  return (!wanted.empty() && wanted != on_disk) || (!running.empty() && running != on_disk);
}

bool HasDrift(const HostFacts& facts) {
  if (facts.live == nullptr || !facts.live->health) return false;  // nobody has looked
  const auto& apps = facts.live->health->apps();
  return std::any_of(apps.begin(), apps.end(),
                     [](const auto& app) {
                       return Differs("", app.second.on_disk(), app.second.running());
                     }) ||
         std::any_of(facts.wanted.begin(), facts.wanted.end(), [&](const Wanted& wanted) {
           const auto app = apps.find(wanted.app);
           return Differs(wanted.digest, app == apps.end() ? "" : app->second.on_disk(), "");
         });
}

void ConvertApps(const HostFacts& facts, v1::Host& host) {
  std::map<std::string, v1::AppState> apps;
  for (const Wanted& wanted : facts.wanted) {
    apps[wanted.app].set_wanted(wanted.digest);
    apps[wanted.app].set_wanted_label(wanted.label);
  }
  for (const auto& [app, version] : host.health().apps()) {
    v1::AppState& state = apps[app];
    state.set_on_disk(version.on_disk());
    state.set_running(version.running());
    state.set_label(version.label());
    state.set_healthy(version.healthy());
  }
  for (auto& [app, state] : apps) {
    state.set_app(app);
    state.set_drift(host.has_health() && Differs(state.wanted(), state.on_disk(), state.running()));
    *host.add_apps() = state;
  }
}

}  // namespace

void Convert(const HostFacts& facts, v1::Host& host) {
  const HostRecord& record = facts.record;
  host.set_name(record.id.text);
  const Labels labels = LabelsOf(record, facts.live);
  host.mutable_labels()->insert(labels.begin(), labels.end());
  host.set_state(StateOf(facts));
  if (record.cordon) {
    host.set_cordoned(true);
    host.set_cordoned_by(record.cordon->who);
    host.set_cordon_reason(record.cordon->why);
    SetProto(record.cordon->at, host.mutable_cordoned_at());
  }
  absl::Time last_seen = record.last_seen;
  if (facts.live != nullptr) {
    last_seen = std::max(last_seen, facts.live->last_seen);
    ConvertLive(*facts.live, host);
  }
  if (last_seen != absl::InfinitePast()) SetProto(last_seen, host.mutable_last_seen());
  if (facts.lock != nullptr) {
    host.set_locked_by(facts.lock->rollout.text);
    host.set_lock_reason(facts.lock->reason);
  }
  ConvertApps(facts, host);
}

bool IsConnected(const HostFacts& facts) {
  return StateOf(facts) == v1::Host::CONNECTED;
}

bool IsHealthy(const HostFacts& facts) {
  if (!IsConnected(facts)) return false;
  if (!facts.live->health) return true;
  const auto& services = facts.live->health->services();
  return std::all_of(services.begin(), services.end(),
                     [](const v1::ServiceHealth& service) { return service.healthy(); });
}

bool IsException(const HostFacts& facts) {
  return !IsHealthy(facts) || facts.record.cordon || HasDrift(facts);
}

}  // namespace slipway::controller
