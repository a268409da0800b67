#include "tools/swarm/plaintext.h"

#include <grpc/grpc_security_constants.h>
#include <grpcpp/security/auth_context.h>
#include <grpcpp/security/auth_metadata_processor.h>

#include <map>

namespace slipway::swarm {
namespace {

constexpr char kLeaf[] = "leaf-bin";

class Believer final : public grpc::AuthMetadataProcessor {
 public:
  bool IsBlocking() const override { return false; }
  grpc::Status Process(const InputMetadata& metadata, grpc::AuthContext* peer, OutputMetadata* used,
                       OutputMetadata*) override {
    const auto leaf = metadata.find(kLeaf);
    if (leaf == metadata.end()) return {grpc::StatusCode::UNAUTHENTICATED, "no certificate"};
    peer->AddProperty(GRPC_X509_PEM_CERT_PROPERTY_NAME, leaf->second);
    used->insert({kLeaf, std::string(leaf->second.data(), leaf->second.size())});
    return grpc::Status::OK;
  }
};

class Shower final : public grpc::MetadataCredentialsPlugin {
 public:
  explicit Shower(std::string leaf_pem) : leaf_(std::move(leaf_pem)) {}
  bool IsBlocking() const override { return false; }
  grpc::Status GetMetadata(grpc::string_ref, grpc::string_ref, const grpc::AuthContext&,
                           std::multimap<grpc::string, grpc::string>* metadata) override {
    metadata->insert({kLeaf, leaf_});
    return grpc::Status::OK;
  }

 private:
  const std::string leaf_;
};

}  // namespace

std::shared_ptr<grpc::ServerCredentials> PlaintextServerCredentials() {
  auto credentials = grpc::experimental::LocalServerCredentials(LOCAL_TCP);
  credentials->SetAuthMetadataProcessor(std::make_shared<Believer>());
  return credentials;
}

std::shared_ptr<grpc::ChannelCredentials> PlaintextChannelCredentials(const std::string& leaf_pem) {
  return grpc::CompositeChannelCredentials(
      grpc::experimental::LocalCredentials(LOCAL_TCP),
      grpc::experimental::MetadataCredentialsFromPlugin(std::make_unique<Shower>(leaf_pem),
                                                        GRPC_SECURITY_NONE));
}

}  // namespace slipway::swarm
