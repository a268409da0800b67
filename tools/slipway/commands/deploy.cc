// deploy: hands the plan to the controller and follows what becomes of it.

#include <grpcpp/grpcpp.h>

#include "absl/strings/str_cat.h"
#include "slipway/v1/rollout.grpc.pb.h"
#include "tools/slipway/controller.h"
#include "tools/slipway/follow.h"
#include "tools/slipway/output.h"
#include "tools/slipway/read_file.h"
#include "tools/slipway/rollout_text.h"
#include "tools/slipway/term/terminal.h"

namespace slipway::cli {
namespace {

absl::StatusOr<v1::CreateRolloutRequest> RequestOf(const Invocation& invocation) {
  const std::string path = invocation.Value("PLAN");
  auto plan = ReadFile(path);
  if (!plan.ok()) return plan.status();
  v1::CreateRolloutRequest request;
  request.set_request_id(NewRequestId());
  request.set_plan(*std::move(plan));
  request.set_plan_path(path);
  request.set_release(invocation.Value("release", invocation.Value("version")));
  request.set_hosts(invocation.Value("hosts"));
  request.set_reason(invocation.Value("reason"));
  request.set_ticket(invocation.Value("ticket"));
  for (const std::string& version : invocation.Values("accept-unproven")) {
    request.add_accept_unproven(version);
  }
  for (const std::string& pair : invocation.Values("set")) {
    const auto equals = pair.find('=');
    if (equals == std::string::npos || equals == 0) {
      return absl::InvalidArgumentError(absl::StrCat("--set takes KEY=VALUE, not `", pair, "`"));
    }
    (*request.mutable_set())[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  return request;
}

ExitCode DryRun(const Invocation& invocation, const Controller& controller,
                const v1::CreateRolloutRequest& request) {
  const auto stub = v1::RolloutService::NewStub(controller.channel());
  v1::RolloutPreview preview;
  const absl::Status status = controller.Call([&](grpc::ClientContext& context) {
    return stub->PreviewRollout(&context, request, &preview);
  });
  if (!status.ok()) return Fail(status);
  if (Json(invocation)) return PrintJson(preview);
  Print(PreviewText(StandardOutput(), preview));
  return ExitCode::done;
}

}  // namespace

ExitCode RunDeploy(const Invocation& invocation) {
  if (invocation.Value("release", invocation.Value("version")).empty()) {
    return Usage(
        "which release? name it: --release NAME@VERSION or --version VERSION; "
        "`slipway release list` shows what there is");
  }
  const auto options = FollowOptions::From(invocation);
  if (!options.ok()) return Usage(options.status().message());
  const auto request = RequestOf(invocation);
  if (!request.ok()) return Fail(request.status());
  auto controller = Controller::Dial(invocation);
  if (!controller.ok()) return Fail(controller.status());
  if (invocation.Flag("dry-run")) return DryRun(invocation, **controller, *request);

  const auto stub = v1::RolloutService::NewStub((*controller)->channel());
  v1::Rollout rollout;
  const absl::Status status = (*controller)->Call([&](grpc::ClientContext& context) {
    return stub->CreateRollout(&context, *request, &rollout);
  });
  if (!status.ok()) return Fail(status);
  if (invocation.Flag("detach") || IsOver(rollout)) {
    if (Json(invocation)) return PrintJson(rollout);
    Print(IsOver(rollout) ? EndText(StandardOutput(), rollout)
                          : StatusText(StandardOutput(), rollout));
    return IsOver(rollout) ? ExitCodeOf(rollout) : ExitCode::done;
  }
  return Follow(**controller, rollout.id(), *options);
}

}  // namespace slipway::cli
