#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/grpc_status.h"
#include "common/log.h"
#include "common/status_macros.h"
#include "controller/rpc/request_once.h"
#include "controller/rpc/services.h"
#include "slipway/v1/rollout.grpc.pb.h"

namespace slipway::controller {
namespace {

constexpr std::uint32_t kPageSize = 50;
constexpr std::uint32_t kPageSizeMax = 1000;
constexpr std::size_t kReasonBytesMax = 1024;

using Kind = engine::Verb::Kind;

bool NeedsReason(Kind kind) {
  return kind != Kind::pause && kind != Kind::resume && kind != Kind::approve;
}

class RolloutService final : public v1::RolloutService::Service {
 public:
  explicit RolloutService(const RolloutServicePorts& ports)
      : ports_(ports), once_(ports.registry, ports.clock) {}

  grpc::Status PreviewRollout(grpc::ServerContext*, const v1::CreateRolloutRequest* request,
                              v1::RolloutPreview* response) override {
    return ToGrpc(ports_.creation.Preview(*request, *response));
  }
  grpc::Status CreateRollout(grpc::ServerContext* context, const v1::CreateRolloutRequest* request,
                             v1::Rollout* response) override {
    return ToGrpc(Create(*context, *request, *response));
  }
  grpc::Status GetRollout(grpc::ServerContext*, const v1::GetRolloutRequest* request,
                          v1::Rollout* response) override {
    return ToGrpc(Get(request->id(), *response));
  }
  grpc::Status ListRollouts(grpc::ServerContext*, const v1::ListRolloutsRequest* request,
                            v1::ListRolloutsResponse* response) override {
    List(*request, *response);
    return grpc::Status::OK;
  }
  grpc::Status WatchRollout(grpc::ServerContext* context, const v1::WatchRolloutRequest* request,
                            grpc::ServerWriter<v1::RolloutUpdate>* writer) override {
    return ToGrpc(ports_.streams.Watch(
        *request, [&](const v1::RolloutUpdate& update) { return writer->Write(update); },
        [&] { return context->IsCancelled(); }));
  }
  grpc::Status GetLogs(grpc::ServerContext* context, const v1::GetLogsRequest* request,
                       grpc::ServerWriter<v1::LogChunk>* writer) override {
    return ToGrpc(ports_.streams.Logs(
        *request, [&](const v1::LogChunk& chunk) { return writer->Write(chunk); },
        [&] { return context->IsCancelled(); }));
  }
  grpc::Status PauseRollout(grpc::ServerContext* context, const v1::SteerRequest* request,
                            v1::Rollout* response) override {
    return ToGrpc(Steer(*context, "PauseRollout", Kind::pause, *request, *response));
  }
  grpc::Status ResumeRollout(grpc::ServerContext* context, const v1::SteerRequest* request,
                             v1::Rollout* response) override {
    return ToGrpc(Steer(*context, "ResumeRollout", Kind::resume, *request, *response));
  }
  grpc::Status AbortRollout(grpc::ServerContext* context, const v1::SteerRequest* request,
                            v1::Rollout* response) override {
    const Kind kind = request->roll_back() ? Kind::roll_back : Kind::abort;
    return ToGrpc(Steer(*context, "AbortRollout", kind, *request, *response));
  }
  grpc::Status RetryRollout(grpc::ServerContext* context, const v1::SteerRequest* request,
                            v1::Rollout* response) override {
    return ToGrpc(Steer(*context, "RetryRollout", Kind::retry, *request, *response));
  }
  grpc::Status SkipHosts(grpc::ServerContext* context, const v1::SteerRequest* request,
                         v1::Rollout* response) override {
    return ToGrpc(Steer(*context, "SkipHosts", Kind::skip, *request, *response));
  }
  grpc::Status RollBack(grpc::ServerContext* context, const v1::SteerRequest* request,
                        v1::Rollout* response) override {
    return ToGrpc(Steer(*context, "RollBack", Kind::roll_back, *request, *response));
  }
  grpc::Status ApproveRollout(grpc::ServerContext* context, const v1::SteerRequest* request,
                              v1::Rollout* response) override {
    return ToGrpc(Steer(*context, "ApproveRollout", Kind::approve, *request, *response));
  }
  grpc::Status RejectRollout(grpc::ServerContext* context, const v1::SteerRequest* request,
                             v1::Rollout* response) override {
    return ToGrpc(Steer(*context, "RejectRollout", Kind::reject, *request, *response));
  }
  grpc::Status NoteRollout(grpc::ServerContext* context, const v1::SteerRequest* request,
                           v1::Rollout* response) override {
    return ToGrpc(Steer(*context, "NoteRollout", Kind::note, *request, *response));
  }

 private:
  absl::Status Create(const grpc::ServerContext& context, const v1::CreateRolloutRequest& request,
                      v1::Rollout& response);
  absl::Status Get(const std::string& id, v1::Rollout& response) const;
  void List(const v1::ListRolloutsRequest& request, v1::ListRolloutsResponse& response) const;
  absl::Status Steer(const grpc::ServerContext& context, const std::string& method, Kind kind,
                     const v1::SteerRequest& request, v1::Rollout& response);
  absl::StatusOr<std::string> SteerOnce(Kind kind, const v1::SteerRequest& request,
                                        const std::string& who);
  absl::StatusOr<std::string> CallerOf(const grpc::ServerContext& context) const;

  const RolloutServicePorts ports_;
  RequestOnce once_;
};

absl::StatusOr<std::string> RolloutService::CallerOf(const grpc::ServerContext& context) const {
  SLIPWAY_ASSIGN_OR_RETURN(const tls::Identity identity,
                           ports_.authorizer.IdentityOf(*context.auth_context()));
  return tls::UriOf(identity);
}

absl::Status Parse(const std::string& bytes, v1::Rollout& rollout) {
  if (rollout.ParseFromString(bytes)) return absl::OkStatus();
  return absl::InternalError("the remembered answer cannot be read");
}

absl::Status RolloutService::Create(const grpc::ServerContext& context,
                                    const v1::CreateRolloutRequest& request,
                                    v1::Rollout& response) {
  SLIPWAY_ASSIGN_OR_RETURN(const std::string who, CallerOf(context));
  SLIPWAY_ASSIGN_OR_RETURN(
      const std::string answer,
      once_.Run(kCreateMethod, request.request_id(), RequestOnce::Remembers::call,
                [&] { return ports_.creation.Create(request, who); }));
  SLIPWAY_RETURN_IF_ERROR(Parse(answer, response));
  // The remembered answer is that of the beginning; where the rollout is known, it is read anew.
  auto now = ports_.reader.Read(RolloutId{response.id()});
  if (now.ok()) response = *std::move(now);
  return absl::OkStatus();
}

absl::Status RolloutService::Get(const std::string& id, v1::Rollout& response) const {
  SLIPWAY_ASSIGN_OR_RETURN(const RolloutId rollout, ports_.reader.Resolve(id));
  SLIPWAY_ASSIGN_OR_RETURN(response, ports_.reader.Read(rollout));
  return absl::OkStatus();
}

void RolloutService::List(const v1::ListRolloutsRequest& request,
                          v1::ListRolloutsResponse& response) const {
  const std::uint32_t wished = request.page_size() == 0 ? kPageSize : request.page_size();
  const int page_size = static_cast<int>(std::min(wished, kPageSizeMax));
  // Newest first; the token is the last id of the page before.
  bool reached = request.page_token().empty();
  for (const RolloutSummary& summary : ports_.pool.List()) {
    const bool was_reached =
        std::exchange(reached, reached || summary.id.text == request.page_token());
    if (!was_reached || (request.open_only() && summary.finished)) continue;
    if (response.rollouts_size() == page_size) {
      response.set_next_page_token(response.rollouts(page_size - 1).id());
      break;
    }
    v1::Rollout rollout = ports_.reader.ReadBrief(summary);
    if (request.plan().empty() || request.plan() == rollout.plan()) {
      *response.add_rollouts() = std::move(rollout);
    }
  }
  response.set_degraded(ports_.pool.Degraded());
}

absl::Status RolloutService::Steer(const grpc::ServerContext& context, const std::string& method,
                                   Kind kind, const v1::SteerRequest& request,
                                   v1::Rollout& response) {
  SLIPWAY_ASSIGN_OR_RETURN(const std::string who, CallerOf(context));
  if (NeedsReason(kind) && request.reason().empty()) {
    return absl::InvalidArgumentError("say why (reason)");
  }
  if (request.reason().size() > kReasonBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("reason is longer than ", kReasonBytesMax, " bytes"));
  }
  SLIPWAY_ASSIGN_OR_RETURN(const std::string answer,
                           once_.Run(method, request.request_id(), RequestOnce::Remembers::here,
                                     [&] { return SteerOnce(kind, request, who); }));
  return Parse(answer, response);
}

absl::StatusOr<std::string> RolloutService::SteerOnce(Kind kind, const v1::SteerRequest& request,
                                                      const std::string& who) {
  SLIPWAY_ASSIGN_OR_RETURN(const RolloutId rollout, ports_.reader.Resolve(request.id()));
  engine::Verb verb;
  verb.kind = kind;
  verb.who = who;
  verb.reason = request.reason();
  verb.at_once = request.at_once();
  verb.leave_mixed = request.leave_mixed();
  verb.phase = request.phase();
  std::vector<HostId> hosts;
  for (const std::string& host : request.hosts()) hosts.push_back({host});
  SLIPWAY_RETURN_IF_ERROR(ports_.pool.Steer(rollout, verb, std::move(hosts)));
  log::Info("rollout steered",
            {{"rollout", rollout.text}, {"by", who}, {"reason", request.reason()}});
  SLIPWAY_ASSIGN_OR_RETURN(const v1::Rollout after, ports_.reader.Read(rollout));
  return after.SerializeAsString();
}

}  // namespace

std::unique_ptr<grpc::Service> MakeRolloutService(const RolloutServicePorts& ports) {
  return std::make_unique<RolloutService>(ports);
}

}  // namespace slipway::controller
