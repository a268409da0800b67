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

namespace grpc {
class Service;
}

namespace slipway::controller {

// All that is named here outlives the service.
struct FleetServicePorts {
  const Authorizer& authorizer;
  HostDirectory& hosts;
  const FleetView& view;
  Registry& registry;
  Enrolment& enrolment;
  const Clock& clock;
  std::function<std::string()> degraded;  // "" or why the controller cannot write
};
std::unique_ptr<grpc::Service> MakeFleetService(const FleetServicePorts& ports);

std::unique_ptr<grpc::Service> MakeEnrolmentService(Enrolment& enrolment);

}  // namespace slipway::controller
