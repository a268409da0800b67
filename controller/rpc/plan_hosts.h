// The fleet as the planner wants to know it.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "controller/fleet/fleet_view.h"
#include "controller/fleet/host_directory.h"
#include "controller/planner/planner.h"
#include "controller/registry/registry.h"

namespace slipway::controller {

// Every host that is not retired, with what is known of it now. Errors: those of the registry.
absl::StatusOr<std::vector<PlanHost>> PlanHostsOf(const HostDirectory& hosts, const FleetView& view,
                                                  Registry& registry);

// The registry's labels over the agent's own: what an operator said of a host counts.
Labels LabelsOf(const HostRecord& record, const LiveHost* live);

}  // namespace slipway::controller
