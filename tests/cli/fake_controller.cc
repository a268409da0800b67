#include "tests/cli/fake_controller.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "common/clock.h"
#include "common/tls/credentials.h"
#include "controller/setup.h"
#include "slipway/v1/artifact.grpc.pb.h"
#include "slipway/v1/fleet.grpc.pb.h"
#include "slipway/v1/rollout.grpc.pb.h"

namespace slipway::cli {
namespace {

grpc::Status ToGrpc(const absl::Status& status, const std::string& details = "") {
  return {static_cast<grpc::StatusCode>(status.code()), std::string(status.message()), details};
}

template <class Answer>
grpc::Status Give(const absl::StatusOr<Answer>& answer, Answer* out,
                  const std::string& details = "") {
  if (!answer.ok()) return ToGrpc(answer.status(), details);
  *out = *answer;
  return grpc::Status::OK;
}

class Rollouts final : public v1::RolloutService::Service {
 public:
  explicit Rollouts(Script& script) : script_(script) {}

  grpc::Status CreateRollout(grpc::ServerContext*, const v1::CreateRolloutRequest* request,
                             v1::Rollout* out) override {
    return Give(script_.create(*request), out, script_.plan_problems);
  }
  grpc::Status GetRollout(grpc::ServerContext*, const v1::GetRolloutRequest* request,
                          v1::Rollout* out) override {
    return Give(script_.get(request->id()), out);
  }
  grpc::Status WatchRollout(grpc::ServerContext* context, const v1::WatchRolloutRequest* request,
                            grpc::ServerWriter<v1::RolloutUpdate>* writer) override {
    for (const v1::RolloutUpdate& update : script_.updates) {
      if (update.rollout().sequence() > request->after_sequence()) writer->Write(update);
    }
    // Whatever comes next, the client decides when it has seen enough.
    absl::Notification never;
    while (!context->IsCancelled()) never.WaitForNotificationWithTimeout(absl::Milliseconds(20));
    return grpc::Status::CANCELLED;
  }
  grpc::Status ListRollouts(grpc::ServerContext*, const v1::ListRolloutsRequest*,
                            v1::ListRolloutsResponse* out) override {
    return Give(script_.get(""), out->add_rollouts());
  }
  grpc::Status GetLogs(grpc::ServerContext*, const v1::GetLogsRequest*,
                       grpc::ServerWriter<v1::LogChunk>* writer) override {
    v1::LogChunk chunk;
    chunk.set_host("web-1");
    chunk.set_step("start");
    chunk.set_data(script_.logs);
    writer->Write(chunk);
    return grpc::Status::OK;
  }

#define SLIPWAY_FAKE_VERB(Method)                                                              \
  grpc::Status Method(grpc::ServerContext*, const v1::SteerRequest* request, v1::Rollout* out) \
      override {                                                                               \
    return Give(script_.steer(#Method, *request), out);                                        \
  }
  SLIPWAY_FAKE_VERB(PauseRollout)
  SLIPWAY_FAKE_VERB(ResumeRollout)
  SLIPWAY_FAKE_VERB(AbortRollout)
  SLIPWAY_FAKE_VERB(RetryRollout)
  SLIPWAY_FAKE_VERB(SkipHosts)
  SLIPWAY_FAKE_VERB(RollBack)
  SLIPWAY_FAKE_VERB(ApproveRollout)
  SLIPWAY_FAKE_VERB(RejectRollout)
  SLIPWAY_FAKE_VERB(NoteRollout)
#undef SLIPWAY_FAKE_VERB

 private:
  Script& script_;
};

void KeepExceptions(v1::ListHostsResponse& response) {
  const auto is_well = [](const v1::Host& host) {
    return host.state() == v1::Host::CONNECTED && !host.cordoned() &&
           std::none_of(host.health().services().begin(), host.health().services().end(),
                        [](const auto& service) { return !service.healthy(); }) &&
           std::none_of(host.apps().begin(), host.apps().end(),
                        [](const auto& app) { return app.drift(); });
  };
  auto& hosts = *response.mutable_hosts();
  hosts.erase(std::remove_if(hosts.begin(), hosts.end(), is_well), hosts.end());
}

class Fleet final : public v1::FleetService::Service {
 public:
  explicit Fleet(Script& script) : script_(script) {}
  grpc::Status ListHosts(grpc::ServerContext*, const v1::ListHostsRequest* request,
                         v1::ListHostsResponse* out) override {
    auto hosts = script_.hosts(request->selector());
    if (hosts.ok() && request->exceptions_only()) KeepExceptions(*hosts);
    if (hosts.ok()) script_.hosts_given += hosts->hosts_size();
    return Give(std::move(hosts), out);
  }
  grpc::Status GetHost(grpc::ServerContext*, const v1::GetHostRequest* request,
                       v1::Host* out) override {
    return Give(script_.host(request->name()), out);
  }
  grpc::Status RetireHost(grpc::ServerContext*, const v1::RetireHostRequest* request,
                          v1::Host* out) override {
    return Give(script_.retire(*request), out);
  }
  grpc::Status LabelHost(grpc::ServerContext*, const v1::LabelHostRequest* request,
                         v1::Host* out) override {
    return Give(script_.label(*request), out);
  }

 private:
  Script& script_;
};

class Releases final : public v1::ArtifactService::Service {
 public:
  explicit Releases(Script& script) : script_(script) {}
  grpc::Status ListReleases(grpc::ServerContext*, const v1::ListReleasesRequest*,
                            v1::ListReleasesResponse* out) override {
    for (const v1::ReleaseInfo& release : script_.releases) *out->add_releases() = release;
    return grpc::Status::OK;
  }
  grpc::Status CollectReleases(grpc::ServerContext*, const v1::CollectReleasesRequest* request,
                               v1::CollectReleasesResponse* out) override {
    return Give(script_.collect(*request), out);
  }
  grpc::Status VerifyReleases(grpc::ServerContext*, const v1::VerifyReleasesRequest*,
                              grpc::ServerWriter<v1::ReleaseCheck>* writer) override {
    for (const v1::ReleaseCheck& check : script_.checks) writer->Write(check);
    return grpc::Status::OK;
  }

 private:
  Script& script_;
};

}  // namespace

struct FakeController::Parts {
  explicit Parts(Script& script) : rollouts(script), fleet(script), releases(script) {}
  Rollouts rollouts;
  Fleet fleet;
  Releases releases;
  bool Listen() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(absl::StrCat("127.0.0.1:", port), tls::MutualServerCredentials(keys),
                             &port);
    builder.RegisterService(&rollouts);
    builder.RegisterService(&fleet);
    builder.RegisterService(&releases);
    server = builder.BuildAndStart();
    return server != nullptr;
  }
  tls::KeyMaterial keys;
  std::unique_ptr<grpc::Server> server;
  std::string config;
  int port = 0;  // the kernel chooses the first time
};

std::unique_ptr<FakeController> FakeController::Start(const std::string& dir, Script& script) {
  controller::Config config;
  config.dir = absl::StrCat(dir, "/controller");
  config.hosts = {"127.0.0.1"};
  const absl::Time now = SystemClock().Now();
  if (!controller::Initialise(config, "tester", now).ok()) return nullptr;
  const auto authority = tls::Authority::Open(controller::AuthorityDir(config));
  if (!authority.ok()) return nullptr;
  const auto keys = controller::OwnCertificate(config, *authority, now);
  if (!keys.ok()) return nullptr;
  auto parts = std::make_unique<Parts>(script);
  parts->config = absl::StrCat(config.dir, "/operators/tester/config.yaml");
  parts->keys = *keys;
  if (!parts->Listen()) return nullptr;
  return std::unique_ptr<FakeController>(new FakeController(std::move(parts)));
}

FakeController::FakeController(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

FakeController::~FakeController() {
  Stop();
}

void FakeController::Stop() {
  if (parts_->server == nullptr) return;
  parts_->server->Shutdown(absl::ToChronoTime(SystemClock().Now()));
  parts_->server.reset();
}

bool FakeController::Restart() {
  return parts_->Listen();
}

std::vector<std::string> FakeController::environment() const {
  return {absl::StrCat("SLIPWAY_CONFIG=", parts_->config),
          absl::StrCat("SLIPWAY_CONTROLLER=127.0.0.1:", parts_->port)};
}

}  // namespace slipway::cli
