#include "controller/rpc/authorizer.h"

#include <grpc/grpc_security_constants.h>
#include <grpcpp/security/auth_context.h>
#include <grpcpp/security/auth_metadata_processor.h>
#include <grpcpp/security/server_credentials.h>

#include "absl/strings/str_cat.h"
#include "common/grpc_status.h"
#include "common/log.h"
#include "common/status_macros.h"
#include "controller/rpc/authz_table.h"
#include "controller/rpc/refusal_log.h"

namespace slipway::controller {
namespace {

std::string_view View(grpc::string_ref text) {
  return {text.data(), text.size()};
}

// The leaf certificate that the peer showed, PEM; "" without one.
std::string LeafOf(const grpc::AuthContext& peer) {
  const auto found = peer.FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME);
  return found.size() == 1 ? std::string(found[0].data(), found[0].size()) : std::string();
}

class Processor final : public grpc::AuthMetadataProcessor {
 public:
  Processor(const Authorizer& authorizer, const Clock& clock)
      : authorizer_(authorizer), refusals_(clock) {}

  // A tenth of a millisecond of arithmetic: no reason for a thread of its own.
  bool IsBlocking() const override { return false; }

  grpc::Status Process(const InputMetadata& metadata, grpc::AuthContext* peer, OutputMetadata*,
                       OutputMetadata*) override {
    const auto path = metadata.find(":path");
    const auto method = path == metadata.end() ? std::string_view() : View(path->second);
    const absl::Status status = authorizer_.Authorize(method, *peer);
    if (!status.ok()) Log(method, *peer, status);
    return ToGrpc(status);
  }

 private:
  // Nobody is worth a line for each call: a host that is gone may call for ever, and a stranger
  // could fill the log.
  void Log(std::string_view method, const grpc::AuthContext& peer, const absl::Status& status) {
    const std::string caller = authorizer_.NameOf(peer);
    const auto left_out = refusals_.Refused(caller);
    if (!left_out) return;
    const auto level = absl::IsPermissionDenied(status) ? log::Level::warn : log::Level::debug;
    log::Write(level, "call refused",
               {{"caller", caller},
                {"method", std::string(method.substr(0, 128))},
                {"why", std::string(status.message())},
                {"left_out", *left_out}});
  }

  const Authorizer& authorizer_;
  RefusalLog refusals_;
};

}  // namespace

void Authorizer::Guard(grpc::ServerCredentials& credentials) const {
  credentials.SetAuthMetadataProcessor(std::make_shared<Processor>(*this, clock_));
}

absl::Status Authorizer::Authorize(std::string_view method, const grpc::AuthContext& peer) const {
  const AuthzRow* const row = FindAuthzRow(method);
  if (row == nullptr) return absl::PermissionDeniedError("no such method for anyone");
  if ((row->callers & kAnyone) != 0) return absl::OkStatus();
  SLIPWAY_ASSIGN_OR_RETURN(const tls::Identity identity, IdentityOf(peer));
  if ((row->callers & CallersOf(identity.kind)) == 0) {
    return absl::PermissionDeniedError(
        absl::StrCat(tls::UriOf(identity), " may not call ", std::string(method)));
  }
  return absl::OkStatus();
}

std::string Authorizer::NameOf(const grpc::AuthContext& peer) const {
  const std::string leaf = LeafOf(peer);
  if (leaf.empty()) return "";
  const auto identity = verifier_.Identify(leaf, clock_.Now());
  return identity.ok() ? tls::UriOf(*identity) : "";
}

absl::StatusOr<tls::Identity> Authorizer::IdentityOf(const grpc::AuthContext& peer) const {
  SLIPWAY_ASSIGN_OR_RETURN(tls::VerifiedPeer caller, PeerOf(peer));
  return std::move(caller.identity);
}

absl::StatusOr<tls::VerifiedPeer> Authorizer::PeerOf(const grpc::AuthContext& peer) const {
  const std::string leaf = LeafOf(peer);
  if (leaf.empty()) return absl::UnauthenticatedError("a client certificate is required");
  SLIPWAY_ASSIGN_OR_RETURN(tls::VerifiedPeer caller, verifier_.Verify(leaf, clock_.Now()));
  if (caller.identity.kind == tls::Kind::agent) {
    SLIPWAY_RETURN_IF_ERROR(gate_.Admit(HostId{caller.identity.name}, caller.fingerprint));
  }
  return caller;
}

}  // namespace slipway::controller
