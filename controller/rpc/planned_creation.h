// From a plan's bytes to a preview or to a running rollout.
#pragma once

#include <memory>
#include <string>

#include "controller/fleet/fleet_view.h"
#include "controller/fleet/host_directory.h"
#include "controller/registry/registry.h"
#include "controller/releases/release_store.h"
#include "controller/rpc/services.h"
#include "controller/runner/runner_pool.h"

namespace slipway::controller {

// Thread-safe. The preview and the rollout of the same plan, release and hosts are alike: the seed
// is made of these.
class PlannedCreation final : public RolloutCreation {
 public:
  // All outlive the object.
  struct Ports {
    RunnerPool& pool;
    Registry& registry;
    ReleaseStore& releases;
    const HostDirectory& hosts;
    const FleetView& view;
    const Clock& clock;
  };
  explicit PlannedCreation(const Ports& ports) : ports_(ports) {}

  absl::Status Preview(const v1::CreateRolloutRequest& request,
                       v1::RolloutPreview& preview) override;
  absl::StatusOr<std::string> Create(const v1::CreateRolloutRequest& request,
                                     const std::string& who) override;

 private:
  struct Prepared;
  absl::StatusOr<Prepared> Prepare(const v1::CreateRolloutRequest& request) const;
  absl::StatusOr<ReleaseDetails> FindRelease(const std::string& wanted,
                                             const std::string& plan) const;

  const Ports ports_;
};

}  // namespace slipway::controller
