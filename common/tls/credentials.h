// gRPC credentials and channel arguments. There is no builder for a plaintext listener.
#pragma once

#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/tls/client_config.h"

namespace slipway::tls {

// A listener that ends the handshake of everyone who shows no certificate below the root.
std::shared_ptr<grpc::ServerCredentials> MutualServerCredentials(const KeyMaterial& material);

// The enrolment listener: asks for no certificate and sends the root along, so that a new host can
// compare it with the pin of its token.
std::shared_ptr<grpc::ServerCredentials> EnrolmentServerCredentials(const KeyMaterial& material);

// A client that shows its certificate and accepts only servers below the root.
std::shared_ptr<grpc::ChannelCredentials> MutualChannelCredentials(const KeyMaterial& material);

// A client without certificate, for enrolment.
std::shared_ptr<grpc::ChannelCredentials> AnonymousChannelCredentials(const std::string& ca_pem);

// Lets reconnects resume their TLS session, at two thirds of the handshake's price. For one client
// certificate only: a resumed session keeps the identity that it began with. Thread-safe; outlives
// the channels that use it.
class SessionCache {
 public:
  SessionCache();
  ~SessionCache();
  SessionCache(const SessionCache&) = delete;
  SessionCache& operator=(const SessionCache&) = delete;
  void AddTo(grpc::ChannelArguments& arguments) const;

 private:
  struct grpc_cache;
  grpc_cache* const cache_;
};

// Small frames, no compression, no channelz, no bandwidth probes, keepalive of 15 s, an own
// connection: what an agent's channels share.
grpc::ChannelArguments SessionChannelArguments(const SessionCache& cache);

// gRPC's own complaints go to our log, below `warn` where a stranger could cause them.
void LogThroughUs();

}  // namespace slipway::tls
