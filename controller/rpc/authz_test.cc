// Every method of the contract x every sort of caller, over real TLS.
#include <gmock/gmock.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <deque>

#include "absl/strings/str_cat.h"
#include "common/clock.h"
#include "common/tls/credentials.h"
#include "common/tls/key.h"
#include "controller/rpc/authorizer.h"
#include "controller/rpc/authz_table.h"

namespace slipway::controller {
namespace {

using grpc::StatusCode;

// Says ABORTED to whoever gets as far as a handler.
class Reached final : public grpc::CallbackGenericService {
 public:
  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext*) override {
    class Reactor final : public grpc::ServerGenericBidiReactor {
     public:
      Reactor() { Finish({StatusCode::ABORTED, "reached"}); }
      void OnDone() override { delete this; }
    };
    return new Reactor();
  }
};

class Gate final : public HostGate {
 public:
  absl::Status Admit(const HostId& host, std::string_view) override {
    if (host.text == "retired-1") return absl::PermissionDeniedError("retired-1 is retired");
    return absl::OkStatus();
  }
};

class AuthzTest : public testing::Test {
 protected:
  static std::string FreshDir() {
    std::string pattern = testing::TempDir() + "/authz_XXXXXX";
    return ::mkdtemp(pattern.data());
  }

  AuthzTest() {
    port_ = Listen(
        tls::MutualServerCredentials(Material(authority_, tls::Kind::controller, {"localhost"})));
    open_port_ = Listen(tls::EnrolmentServerCredentials(
        Material(authority_, tls::Kind::controller, {"localhost"})));
  }
  ~AuthzTest() override {
    for (auto& server : servers_) server->Shutdown();
  }

  int Listen(std::shared_ptr<grpc::ServerCredentials> credentials) {
    authorizer_.Guard(*credentials);
    int port = 0;
    grpc::ServerBuilder builder;
    builder.RegisterCallbackGenericService(&services_.emplace_back());
    builder.AddListeningPort("127.0.0.1:0", std::move(credentials), &port);
    servers_.push_back(builder.BuildAndStart());
    return port;
  }

  static tls::KeyMaterial Material(const tls::Authority& authority, tls::Kind kind,
                                   const std::vector<std::string>& hosts = {},
                                   const std::string& name = "n-1",
                                   absl::Time now = SystemClock().Now()) {
    const std::string key = *tls::MakeKey();
    return {authority.anchors().root_pem,
            *authority.IssueLeaf(kind, name, hosts, *tls::PublicKeyOf(key), now), key};
  }

  // One connection for many calls of the same caller.
  std::unique_ptr<grpc::GenericStub> Caller(int port,
                                            std::shared_ptr<grpc::ChannelCredentials> credentials) {
    return std::make_unique<grpc::GenericStub>(
        grpc::CreateCustomChannel(absl::StrCat("localhost:", port), credentials,
                                  tls::SessionChannelArguments(caches_.emplace_back())));
  }
  std::unique_ptr<grpc::GenericStub> Caller(const tls::KeyMaterial& material) {
    return Caller(port_, tls::MutualChannelCredentials(material));
  }

  static StatusCode Call(grpc::GenericStub& stub, std::string_view method) {
    grpc::ClientContext context;
    grpc::CompletionQueue queue;
    const auto call =
        stub.PrepareUnaryCall(&context, std::string(method), grpc::ByteBuffer(), &queue);
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
    return status.error_code();
  }

  const tls::Authority authority_ =
      *tls::Authority::Create(FreshDir(), "fleet.test", SystemClock().Now());
  const tls::PeerVerifier verifier_ = *tls::PeerVerifier::Create(authority_.anchors());
  Gate gate_;
  const Authorizer authorizer_{verifier_, gate_, SystemClock()};
  std::deque<tls::SessionCache>
      caches_;  // one for each caller: a resumed session keeps its identity
  std::deque<Reached> services_;
  std::vector<std::unique_ptr<grpc::Server>> servers_;
  int port_ = 0;
  int open_port_ = 0;
};

TEST_F(AuthzTest, EachKindReachesItsOwnMethodsAndNoOther) {
  for (const tls::Kind kind : tls::kKinds) {
    const auto hosts = kind == tls::Kind::controller ? std::vector<std::string>{"localhost"}
                                                     : std::vector<std::string>{};
    const auto stub = Caller(Material(authority_, kind, hosts));
    for (const AuthzRow& row : AuthzTable()) {
      const bool may = (row.callers & (CallersOf(kind) | kAnyone)) != 0;
      EXPECT_EQ(Call(*stub, row.method), may ? StatusCode::ABORTED : StatusCode::PERMISSION_DENIED)
          << tls::ToString(kind) << " " << row.method;
    }
  }
}

TEST_F(AuthzTest, WithoutCertificateNobodyGetsPastTheHandshake) {
  const auto stub = Caller(port_, tls::AnonymousChannelCredentials(authority_.anchors().root_pem));
  for (const AuthzRow& row : AuthzTable()) {
    EXPECT_EQ(Call(*stub, row.method), StatusCode::UNAVAILABLE) << row.method;
  }
}

TEST_F(AuthzTest, EnrolmentListenerServesEnrolmentAndNothingElse) {
  const auto stub =
      Caller(open_port_, tls::AnonymousChannelCredentials(authority_.anchors().root_pem));
  for (const AuthzRow& row : AuthzTable()) {
    EXPECT_EQ(Call(*stub, row.method),
              row.callers == kAnyone ? StatusCode::ABORTED : StatusCode::UNAUTHENTICATED)
        << row.method;
  }
}

TEST_F(AuthzTest, ForeignAndExpiredCertificatesReachNothing) {
  const auto foreign = *tls::Authority::Create(FreshDir(), "fleet.test", SystemClock().Now());
  const absl::Time long_ago = SystemClock().Now() - tls::kLeafLife - absl::Hours(24);
  for (const tls::Kind kind : {tls::Kind::agent, tls::Kind::operator_}) {
    tls::KeyMaterial other = Material(foreign, kind);
    other.ca_pem = authority_.anchors().root_pem;
    const auto stranger = Caller(other);
    const auto expired = Caller(Material(authority_, kind, {}, "n-1", long_ago));
    for (const AuthzRow& row : AuthzTable()) {
      EXPECT_EQ(Call(*stranger, row.method), StatusCode::UNAVAILABLE) << "foreign " << row.method;
      EXPECT_EQ(Call(*expired, row.method), StatusCode::UNAVAILABLE) << "expired " << row.method;
    }
  }
}

TEST_F(AuthzTest, MethodWithoutRowIsNobodys) {
  const auto stub = Caller(Material(authority_, tls::Kind::operator_));
  for (const char* method : {"/slipway.v1.RolloutService/Explode", "/slipway.v1.RolloutService/",
                             "/slipway.v1.rolloutservice/ListRollouts", "/x", "/",
                             "/slipway.v1.RolloutService/ListRollouts/"}) {
    EXPECT_EQ(Call(*stub, method), StatusCode::PERMISSION_DENIED) << method;
  }
}

TEST_F(AuthzTest, RetiredHostIsRefusedThoughItsCertificateIsGood) {
  const auto stub = Caller(Material(authority_, tls::Kind::agent, {}, "retired-1"));
  EXPECT_EQ(Call(*stub, "/slipway.v1.AgentSessionService/Connect"), StatusCode::PERMISSION_DENIED);
}

}  // namespace
}  // namespace slipway::controller
