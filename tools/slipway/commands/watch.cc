// watch: follows a rollout, the newest one when none is named.

#include <grpcpp/grpcpp.h>

#include "slipway/v1/rollout.grpc.pb.h"
#include "tools/slipway/controller.h"
#include "tools/slipway/follow.h"
#include "tools/slipway/output.h"
#include "tools/slipway/rollout_text.h"
#include "tools/slipway/term/terminal.h"

namespace slipway::cli {
namespace {

absl::StatusOr<v1::Rollout> Get(const Controller& controller, const std::string& id) {
  const auto stub = v1::RolloutService::NewStub(controller.channel());
  v1::GetRolloutRequest request;
  request.set_id(id);
  v1::Rollout rollout;
  const absl::Status status = controller.Call(
      [&](grpc::ClientContext& context) { return stub->GetRollout(&context, request, &rollout); });
  if (!status.ok()) return status;
  return rollout;
}

}  // namespace

ExitCode RunWatch(const Invocation& invocation) {
  const auto options = FollowOptions::From(invocation);
  if (!options.ok()) return Usage(options.status().message());
  auto controller = Controller::Dial(invocation);
  if (!controller.ok()) return Fail(controller.status());
  const auto rollout = Get(**controller, invocation.Value("ROLLOUT"));
  if (!rollout.ok()) return Fail(rollout.status());
  return Follow(**controller, rollout->id(), *options);
}

ExitCode RunStatus(const Invocation& invocation) {
  auto controller = Controller::Dial(invocation);
  if (!controller.ok()) return Fail(controller.status());
  const auto rollout = Get(**controller, invocation.Value("ROLLOUT"));
  if (!rollout.ok() && rollout.status().code() == absl::StatusCode::kNotFound &&
      invocation.Value("ROLLOUT").empty()) {
    Print(Json(invocation) ? "{}\n" : "no rollout yet: slipway deploy PLAN --version V\n");
    return ExitCode::done;
  }
  if (!rollout.ok()) return Fail(rollout.status());
  if (Json(invocation)) return PrintJson(*rollout);
  Print(StatusText(StandardOutput(), *rollout));
  return ExitCode::done;
}

}  // namespace slipway::cli
