// What is, looked up when somebody asks: rollouts, hosts, storage, certificates.
//
// Of hosts and services there are sums and extremes only: a fleet of 10,000 has as many series as
// one of ten, and nothing that is told without a certificate names a host.
#pragma once

#include <prometheus/collectable.h>

#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/clock.h"
#include "controller/fleet/fleet_view.h"
#include "controller/fleet/host_directory.h"
#include "controller/fleet/pool_events.h"
#include "controller/rpc/agent_sessions.h"
#include "controller/runner/runner_pool.h"

namespace slipway::controller {

// Thread-safe. Never waits for a disk, an agent or a rollout.
class ControllerGauges final : public prometheus::Collectable {
 public:
  // All outlive the object.
  struct Ports {
    const RunnerPool& pool;
    const FleetView& view;
    const HostDirectory& hosts;
    const AgentSessions& sessions;
    const PoolEvents& events;
    const Clock& clock;
    std::string dir;                                 // the controller's folder
    std::string store_file;                          // "": the store is elsewhere
    std::map<std::string, absl::Time> certificates;  // by what they are for: when they expire
  };
  explicit ControllerGauges(Ports ports) : ports_(std::move(ports)) {}

  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const Ports ports_;
};

}  // namespace slipway::controller
