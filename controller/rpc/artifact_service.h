// Content and releases over the wire: slipway.v1.ArtifactService.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "controller/releases/collect_releases.h"

namespace grpc {
class AuthContext;
class Service;
}  // namespace grpc

namespace slipway::controller {

// `releases` and `registry` outlive the service.
struct ArtifactServicePorts {
  ReleaseStore& releases;
  Registry& registry;
  // Who calls (a certificate's URI), for the record.
  std::function<absl::StatusOr<std::string>(const grpc::AuthContext&)> caller;
  // What must not be collected.
  std::function<absl::StatusOr<ReleasesInUse>()> in_use;
};
std::unique_ptr<grpc::Service> MakeArtifactService(ArtifactServicePorts ports);

}  // namespace slipway::controller
