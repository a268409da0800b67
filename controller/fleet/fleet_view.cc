#include "controller/fleet/fleet_view.h"

#include <utility>

namespace slipway::controller {

void FleetView::Recall(const HostId& host, LiveHost then) {
  MutexLock lock(mu_);
  hosts_.try_emplace(host, std::move(then));
}

void FleetView::Connected(const HostId& host, LiveHost now) {
  MutexLock lock(mu_);
  LiveHost& slot = hosts_[host];
  if (!now.health) now.health = std::move(slot.health);
  slot = std::move(now);
}

void FleetView::Disconnected(const HostId& host, absl::Time at) {
  MutexLock lock(mu_);
  LiveHost& slot = hosts_[host];
  slot.connected = false;
  slot.connected_since = absl::InfinitePast();
  slot.last_seen = at;
  slot.round_trip = absl::ZeroDuration();
  slot.progress.reset();
}

void FleetView::Conflicting(const HostId& host, std::string why) {
  MutexLock lock(mu_);
  hosts_[host].conflict = std::move(why);
}

void FleetView::Heard(const HostId& host, absl::Time at) {
  MutexLock lock(mu_);
  hosts_[host].last_seen = at;
}

void FleetView::Measured(const HostId& host, absl::Duration round_trip) {
  MutexLock lock(mu_);
  hosts_[host].round_trip = round_trip;
}

void FleetView::Reported(const HostId& host, std::shared_ptr<const v1::HealthReport> health,
                         absl::Duration clock_offset) {
  MutexLock lock(mu_);
  LiveHost& slot = hosts_[host];
  slot.health = std::move(health);
  slot.clock_offset = clock_offset;
}

void FleetView::Progressed(const HostId& host, LiveProgress progress) {
  MutexLock lock(mu_);
  hosts_[host].progress = std::move(progress);
}

std::optional<LiveHost> FleetView::Find(const HostId& host) const {
  MutexLock lock(mu_);
  const auto it = hosts_.find(host);
  return it == hosts_.end() ? std::nullopt : std::optional(it->second);
}

std::map<HostId, LiveHost> FleetView::All() const {
  MutexLock lock(mu_);
  return hosts_;
}

}  // namespace slipway::controller
