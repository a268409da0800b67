// The door of every listener: certificate -> who -> may they. Deny by default.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/clock.h"
#include "common/tls/verify.h"
#include "controller/fleet/host_gate.h"

namespace grpc {
class AuthContext;
class ServerCredentials;
}  // namespace grpc

namespace slipway::controller {

// Thread-safe.
class Authorizer {
 public:
  // All outlive the authorizer.
  Authorizer(const tls::PeerVerifier& verifier, HostGate& gate, const Clock& clock)
      : verifier_(verifier), gate_(gate), clock_(clock) {}

  // Asks before each call of a listener with these credentials, whatever service it names, also
  // health, reflection and what does not exist.
  void Guard(grpc::ServerCredentials& credentials) const;

  // UNAUTHENTICATED: no certificate or an odd one. PERMISSION_DENIED: not this method.
  absl::Status Authorize(std::string_view method, const grpc::AuthContext& peer) const;

  // Who calls, and with which certificate. For a handler that Guard let through; the errors are
  // those of Authorize.
  absl::StatusOr<tls::VerifiedPeer> PeerOf(const grpc::AuthContext& peer) const;
  // Who calls.
  absl::StatusOr<tls::Identity> IdentityOf(const grpc::AuthContext& peer) const;

  // The URI of who shows a good certificate, also when it may not call; "" for a stranger.
  std::string NameOf(const grpc::AuthContext& peer) const;

 private:
  const tls::PeerVerifier& verifier_;
  HostGate& gate_;
  const Clock& clock_;
};

}  // namespace slipway::controller
