// Which releases rollouts and hosts need.
#pragma once

#include "controller/fleet/fleet_view.h"
#include "controller/registry/registry.h"
#include "controller/releases/collect_releases.h"
#include "controller/runner/runner_pool.h"

namespace slipway::controller {

// Those that an open rollout goes to or comes from, and those that hosts have or should have.
// UNAVAILABLE: a rollout is still being taken up, and nobody knows what it needs.
absl::StatusOr<ReleasesInUse> FindReleasesInUse(const RunnerPool& pool, const FleetView& view,
                                                Registry& registry);

}  // namespace slipway::controller
