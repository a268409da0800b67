// What runs on this host, as opposed to what was started.
#pragma once

#include <functional>
#include <string>

#include "agent/services/service_manager.h"
#include "common/model/observed.h"

namespace slipway::agent {

class HostReleases;

// The release that the service's process was started from: by /proc/PID/exe, else its working
// directory, else SLIPWAY_RELEASE in its environment. "" = unproven.
std::string RunningDigest(const HostReleases& releases, const std::string& app,
                          const ServiceStatus& status);

// Each app by what is on disk, what runs and how it does. An app runs "" when none of its services
// does, and "unproven" when a process cannot be told or its services run from different releases.
// It is healthy when what is on disk is known and each service that was started and not stopped
// since runs and `well` says so; an app without services just has to be there.
Observed Observe(const HostReleases& releases, const ServiceManager& services,
                 const std::function<bool(const ServiceId&, const ServiceStatus&)>& well);

}  // namespace slipway::agent
