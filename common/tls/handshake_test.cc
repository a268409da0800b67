// Real handshakes over loopback: who gets through to a server and who does not.
#include <gmock/gmock.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <deque>

#include "absl/strings/str_cat.h"
#include "common/clock.h"
#include "common/tls/authority.h"
#include "common/tls/credentials.h"
#include "common/tls/issue.h"
#include "common/tls/key.h"
#include "common/tls/pem_file.h"
#include "common/tls/pinned_root.h"
#include "common/tls/verify.h"

namespace slipway::tls {
namespace {

// Answers every call with the certificate that it saw, as an error message.
class EchoService final : public grpc::CallbackGenericService {
 public:
  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    class Reactor final : public grpc::ServerGenericBidiReactor {
     public:
      explicit Reactor(std::string certificate) {
        Finish({grpc::StatusCode::ABORTED, "seen", std::move(certificate)});
      }
      void OnDone() override { delete this; }
    };
    const auto found =
        context->auth_context()->FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME);
    return new Reactor(found.empty() ? "" : std::string(found[0].data(), found[0].size()));
  }
};

class HandshakeTest : public testing::Test {
 protected:
  static std::string FreshDir() {
    std::string pattern = testing::TempDir() + "/handshake_XXXXXX";
    return ::mkdtemp(pattern.data());
  }

  void SetUp() override {
    server_ =
        Listen(MutualServerCredentials(Material(Kind::controller, "main", {"localhost"})), port_);
  }
  void TearDown() override { server_->Shutdown(); }

  std::unique_ptr<grpc::Server> Listen(std::shared_ptr<grpc::ServerCredentials> credentials,
                                       int& port) {
    grpc::ServerBuilder builder;
    builder.RegisterCallbackGenericService(&echoes_.emplace_back());
    builder.AddListeningPort("127.0.0.1:0", std::move(credentials), &port);
    return builder.BuildAndStart();
  }

  KeyMaterial Material(Kind kind, const std::string& name,
                       const std::vector<std::string>& hosts = {}) {
    return MaterialOf(authority_, kind, name, hosts);
  }

  static KeyMaterial MaterialOf(const Authority& authority, Kind kind, const std::string& name,
                                const std::vector<std::string>& hosts = {}) {
    KeyMaterial material;
    material.ca_pem = authority.anchors().root_pem;
    material.key_pem = *MakeKey();
    material.certificate_pem = *authority.IssueLeaf(
        kind, name, hosts, *PublicKeyOf(material.key_pem), SystemClock().Now());
    return material;
  }

  static grpc::Status CallAt(int port, std::shared_ptr<grpc::ChannelCredentials> credentials) {
    SessionCache cache;
    return CallAt(port, std::move(credentials), cache);
  }

  static grpc::Status CallAt(int port, std::shared_ptr<grpc::ChannelCredentials> credentials,
                             const SessionCache& cache) {
    const auto channel = grpc::CreateCustomChannel(absl::StrCat("localhost:", port), credentials,
                                                   SessionChannelArguments(cache));
    grpc::GenericStub stub(channel);
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(SystemClock().Now() + absl::Seconds(10)));
    grpc::CompletionQueue queue;
    const grpc::ByteBuffer request;
    const auto call = stub.PrepareUnaryCall(&context, "/any.Service/Any", request, &queue);
    call->StartCall();
    grpc::ByteBuffer answer;
    grpc::Status status;
    call->Finish(&answer, &status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    queue.Shutdown();
    while (queue.Next(&tag, &ok)) {
    }
    return status;
  }

  const std::string dir_ = FreshDir();
  const Authority authority_ = *Authority::Create(dir_, "fleet.test", SystemClock().Now());
  std::deque<EchoService> echoes_;  // one for each server
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

TEST_F(HandshakeTest, ServerSeesTheLeafOfItsClient) {
  const KeyMaterial agent = Material(Kind::agent, "web-1");
  const grpc::Status status = CallAt(port_, MutualChannelCredentials(agent));
  ASSERT_EQ(status.error_code(), grpc::StatusCode::ABORTED) << status.error_message();
  const auto verifier = PeerVerifier::Create(authority_.anchors());
  ASSERT_TRUE(verifier.ok());
  const auto identity = verifier->Identify(status.error_details(), SystemClock().Now());
  ASSERT_TRUE(identity.ok()) << identity.status();
  EXPECT_EQ(UriOf(*identity), "slipway://fleet.test/agent/web-1");
}

TEST_F(HandshakeTest, ResumedSessionStillNamesItsClient) {
  const KeyMaterial agent = Material(Kind::agent, "web-1");
  const SessionCache cache;
  for (int i = 0; i < 3; ++i) {
    const grpc::Status status = CallAt(port_, MutualChannelCredentials(agent), cache);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::ABORTED) << status.error_message();
    EXPECT_THAT(agent.certificate_pem, testing::StartsWith(status.error_details()));
    EXPECT_FALSE(status.error_details().empty());
  }
}

TEST_F(HandshakeTest, ClientWithoutCertificateIsCutOff) {
  EXPECT_EQ(CallAt(port_, AnonymousChannelCredentials(authority_.anchors().root_pem)).error_code(),
            grpc::StatusCode::UNAVAILABLE);
}

TEST_F(HandshakeTest, ClientOfAnotherAuthorityIsCutOff) {
  const auto other = Authority::Create(FreshDir(), "fleet.test", SystemClock().Now());
  ASSERT_TRUE(other.ok());
  KeyMaterial foreign = MaterialOf(*other, Kind::operator_, "mallory");
  foreign.ca_pem = authority_.anchors().root_pem;
  EXPECT_EQ(CallAt(port_, MutualChannelCredentials(foreign)).error_code(),
            grpc::StatusCode::UNAVAILABLE);
}

TEST_F(HandshakeTest, PlaintextClientGetsNoAnswer) {
  EXPECT_EQ(CallAt(port_, grpc::InsecureChannelCredentials()).error_code(),
            grpc::StatusCode::UNAVAILABLE);
}

// Even with the name of the server and a server's use in the leaf: the intermediate's own use
// does not allow it.
TEST_F(HandshakeTest, AgentsIntermediateCannotMakeAServer) {
  CertificateSpec spec;
  spec.common_name = "main";
  spec.uris = {"slipway://fleet.test/controller/main"};
  spec.hosts = {"localhost"};
  spec.use = Use::client_and_server;
  spec.not_before = SystemClock().Now() - absl::Hours(1);
  spec.not_after = spec.not_before + absl::Hours(2);
  KeyMaterial fake;
  fake.ca_pem = authority_.anchors().root_pem;
  fake.key_pem = *MakeKey();
  const Issuer issuer{*ReadFile(dir_ + "/agent.pem"), *ReadFile(dir_ + "/agent.key")};
  fake.certificate_pem = *Issue(spec, *PublicKeyOf(fake.key_pem), issuer) + issuer.certificate_pem;

  int port = 0;
  const auto impostor = Listen(MutualServerCredentials(fake), port);
  const auto agent = MutualChannelCredentials(Material(Kind::agent, "web-1"));
  EXPECT_EQ(CallAt(port, agent).error_code(), grpc::StatusCode::UNAVAILABLE);
  impostor->Shutdown();
  EXPECT_EQ(CallAt(port_, agent).error_code(), grpc::StatusCode::ABORTED)
      << "the real one still answers";
}

TEST_F(HandshakeTest, ServerUnderAnotherNameIsRefused) {
  int port = 0;
  const auto server =
      Listen(MutualServerCredentials(Material(Kind::controller, "main", {"deploy.test"})), port);
  EXPECT_EQ(CallAt(port, MutualChannelCredentials(Material(Kind::agent, "web-1"))).error_code(),
            grpc::StatusCode::UNAVAILABLE);
  server->Shutdown();
}

TEST_F(HandshakeTest, PinnedRootIsFetchedFromTheEnrolmentListenerOnlyByItsOwnPin) {
  int port = 0;
  const auto server =
      Listen(EnrolmentServerCredentials(Material(Kind::controller, "main", {"localhost"})), port);
  const std::string address = absl::StrCat("localhost:", port);
  const auto root =
      FetchPinnedRoot(address, *SpkiPin(authority_.anchors().root_pem), absl::Seconds(10));
  ASSERT_TRUE(root.ok()) << root.status();
  EXPECT_EQ(*root, authority_.anchors().root_pem);
  EXPECT_EQ(CallAt(port, AnonymousChannelCredentials(*root)).error_code(),
            grpc::StatusCode::ABORTED);

  const auto wrong = FetchPinnedRoot(address, "sha256:" + std::string(64, '0'), absl::Seconds(10));
  EXPECT_EQ(wrong.status().code(), absl::StatusCode::kUnauthenticated);
  server->Shutdown();
  EXPECT_EQ(
      FetchPinnedRoot(address, "sha256:" + std::string(64, '0'), absl::Seconds(2)).status().code(),
      absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace slipway::tls
