// absl::Status inside, grpc::Status at the edge. For .cc files that speak gRPC.
#pragma once

#include <grpcpp/support/status.h>

#include <string>

#include "absl/status/status.h"

namespace slipway {

// Codes have the same numbers. A payload of the absl status under kDetailsUrl becomes the
// grpc::Status's error_details, and back: serialized bytes of one message that the method names.
inline constexpr char kDetailsUrl[] = "slipway.v1";

inline grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const auto details = status.GetPayload(kDetailsUrl);
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), std::string(status.message()),
                      details ? std::string(*details) : std::string());
}

inline absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  absl::Status result(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  if (!status.error_details().empty()) {
    result.SetPayload(kDetailsUrl, absl::Cord(status.error_details()));
  }
  return result;
}

}  // namespace slipway
