// Content and releases over the wire: slipway.v1.ArtifactService.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "controller/releases/release_store.h"

namespace grpc {
class AuthContext;
class Service;
}  // namespace grpc

namespace slipway::controller {

// `releases` outlives the service. `caller` names who calls (a certificate's URI), for the record.
std::unique_ptr<grpc::Service> MakeArtifactService(
    ReleaseStore& releases,
    std::function<absl::StatusOr<std::string>(const grpc::AuthContext&)> caller);

}  // namespace slipway::controller
