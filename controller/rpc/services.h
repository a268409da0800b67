// The services of the contract, one file each. Handlers validate, convert, call and convert; they
// run on gRPC's bounded threads and may wait.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "common/clock.h"
#include "controller/fleet/enrolment.h"
#include "controller/fleet/fleet_view.h"
#include "controller/fleet/host_directory.h"
#include "controller/registry/registry.h"
#include "controller/rpc/authorizer.h"
#include "controller/rpc/rollout_streams.h"

namespace grpc {
class Service;
}

namespace slipway::v1 {
class CreateRolloutRequest;
class RolloutPreview;
}  // namespace slipway::v1

namespace slipway::controller {

// All that is named here outlives the service.
struct FleetServicePorts {
  const Authorizer& authorizer;
  HostDirectory& hosts;
  const FleetView& view;
  Registry& registry;
  Enrolment& enrolment;
  AgentSessions& sessions;
  const Clock& clock;
  std::function<std::string()> degraded;  // "" or why the controller cannot write
};
std::unique_ptr<grpc::Service> MakeFleetService(const FleetServicePorts& ports);

// Turns a plan and a release into a preview or a running rollout.
class RolloutCreation {
 public:
  virtual ~RolloutCreation() = default;
  // Errors of both: those of RolloutService.CreateRollout.
  virtual absl::Status Preview(const v1::CreateRolloutRequest& request,
                               v1::RolloutPreview& preview) = 0;
  // The new rollout, serialized; it and the answer of `request.request_id` (under kCreateMethod)
  // are durable. `who`: the caller's URI.
  virtual absl::StatusOr<std::string> Create(const v1::CreateRolloutRequest& request,
                                             const std::string& who) = 0;
};
inline constexpr char kCreateMethod[] = "CreateRollout";

struct RolloutServicePorts {
  const Authorizer& authorizer;
  RunnerPool& pool;
  Registry& registry;
  const RolloutReader& reader;
  RolloutStreams& streams;
  RolloutCreation& creation;
  const Clock& clock;
};
std::unique_ptr<grpc::Service> MakeRolloutService(const RolloutServicePorts& ports);

std::unique_ptr<grpc::Service> MakeEnrolmentService(Enrolment& enrolment);

}  // namespace slipway::controller
