// Sessions without TLS, to tell what TLS costs. For a benchmark's own listener on loopback: no
// listener of the controller can be one.
//
// The agent shows its certificate in the metadata of its call, and the listener believes it.
#pragma once

#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>

#include <memory>
#include <string>

namespace slipway::swarm {

std::shared_ptr<grpc::ServerCredentials> PlaintextServerCredentials();
// `leaf_pem` without the intermediate's.
std::shared_ptr<grpc::ChannelCredentials> PlaintextChannelCredentials(const std::string& leaf_pem);

}  // namespace slipway::swarm
