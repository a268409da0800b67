// pause, resume, abort, retry, skip, approve, reject, note, rollback: what people say to a rollout.

#include <grpcpp/grpcpp.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "slipway/v1/rollout.grpc.pb.h"
#include "tools/slipway/controller.h"
#include "tools/slipway/follow.h"
#include "tools/slipway/output.h"
#include "tools/slipway/rollout_text.h"
#include "tools/slipway/term/terminal.h"

namespace slipway::cli {
namespace {

using Stub = v1::RolloutService::Stub;
using Method = grpc::Status (Stub::*)(grpc::ClientContext*, const v1::SteerRequest&, v1::Rollout*);

v1::SteerRequest RequestOf(const Invocation& invocation) {
  v1::SteerRequest request;
  request.set_request_id(NewRequestId());
  request.set_id(invocation.Value("ROLLOUT"));
  request.set_reason(invocation.Value("reason", invocation.Value("note")));
  request.set_at_once(invocation.Flag("now"));
  request.set_leave_mixed(invocation.Flag("yes-leave-mixed"));
  request.set_roll_back(invocation.Flag("rollback"));
  request.set_phase(invocation.Value("phase"));
  for (const std::string& list : invocation.Values("hosts")) {
    for (const auto host : absl::StrSplit(list, ',', absl::SkipWhitespace())) {
      request.add_hosts(std::string(host));
    }
  }
  return request;
}

struct Steered {
  std::unique_ptr<Controller> controller;
  v1::Rollout rollout;
};

// Says it to the controller; the reason is asked for before anything is sent.
absl::StatusOr<Steered> Say(const Invocation& invocation, Method method,
                            const v1::SteerRequest& request) {
  Steered steered;
  auto controller = Controller::Dial(invocation);
  if (!controller.ok()) return controller.status();
  steered.controller = *std::move(controller);
  const auto stub = v1::RolloutService::NewStub(steered.controller->channel());
  const absl::Status status = steered.controller->Call([&](grpc::ClientContext& context) {
    return (stub.get()->*method)(&context, request, &steered.rollout);
  });
  if (!status.ok()) return status;
  return steered;
}

ExitCode ShowNow(const Invocation& invocation, const v1::Rollout& rollout) {
  if (Json(invocation)) return PrintJson(rollout);
  Print(StatusText(StandardOutput(), rollout));
  return ExitCode::done;
}

constexpr char kReasonNeeded[] =
    "--reason is needed: it is kept in the journal and shown to everybody, "
    "as in --reason \"wrong build\"";

ExitCode Steer(const Invocation& invocation, Method method, bool reason_needed) {
  if (reason_needed && invocation.Value("reason").empty()) return Usage(kReasonNeeded);
  const auto steered = Say(invocation, method, RequestOf(invocation));
  return steered.ok() ? ShowNow(invocation, steered->rollout) : Fail(steered.status());
}

}  // namespace

ExitCode RunPause(const Invocation& i) {
  return Steer(i, &Stub::PauseRollout, false);
}
ExitCode RunResume(const Invocation& i) {
  return Steer(i, &Stub::ResumeRollout, false);
}
ExitCode RunAbort(const Invocation& i) {
  return Steer(i, &Stub::AbortRollout, true);
}
ExitCode RunRetry(const Invocation& i) {
  return Steer(i, &Stub::RetryRollout, true);
}
ExitCode RunSkip(const Invocation& i) {
  return Steer(i, &Stub::SkipHosts, true);
}

ExitCode RunApprove(const Invocation& i) {
  return Steer(i, &Stub::ApproveRollout, false);
}

ExitCode RunReject(const Invocation& i) {
  if (i.Value("note").empty()) {
    return Usage("--note is needed: it says why not, as in --note \"no backup of today\"");
  }
  return Steer(i, &Stub::RejectRollout, false);
}

ExitCode RunNote(const Invocation& invocation) {
  v1::SteerRequest request = RequestOf(invocation);
  request.set_reason(invocation.Value("TEXT"));
  const auto steered = Say(invocation, &Stub::NoteRollout, request);
  return steered.ok() ? ShowNow(invocation, steered->rollout) : Fail(steered.status());
}

ExitCode RunRollback(const Invocation& invocation) {
  if (invocation.Value("reason").empty()) return Usage(kReasonNeeded);
  const auto options = FollowOptions::From(invocation);
  if (!options.ok()) return Usage(options.status().message());
  const auto steered = Say(invocation, &Stub::RollBack, RequestOf(invocation));
  if (!steered.ok()) return Fail(steered.status());
  if (invocation.Flag("detach")) return ShowNow(invocation, steered->rollout);
  const ExitCode end = Follow(*steered->controller, steered->rollout.id(), *options);
  // A person asked for it: coming back is what was wanted.
  return end == ExitCode::rolled_back ? ExitCode::done : end;
}

}  // namespace slipway::cli
