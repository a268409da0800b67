// What runs on this host, as opposed to what was started.
#pragma once

#include <functional>
#include <string>

#include "agent/services/service_manager.h"
#include "common/model/observed.h"

namespace slipway::agent {

class HostReleases;

// What the probes of a running service say.
struct ProbedService {
  bool healthy = false;
  bool named = false;  // its answer names the version that it was started as
};

// Of which release the running service is: by /proc/PID/exe, else its working directory, else
// SLIPWAY_RELEASE in its environment; with `http_names` only by its answer. "" = unproven.
std::string RunningDigest(const HostReleases& releases, const std::string& app,
                          const ServiceStatus& status, bool named);

// Each app by what is on disk, what runs and how it does. An app runs "" when none of its services
// does, and "unproven" when a process cannot be told or its services run from different releases.
// It is healthy when what is on disk is known and each service that was started and not stopped
// since runs and `probed` says so; an app without services just has to be there.
Observed Observe(
    const HostReleases& releases, const ServiceManager& services,
    const std::function<ProbedService(const ServiceId&, const ServiceStatus&)>& probed);

}  // namespace slipway::agent
