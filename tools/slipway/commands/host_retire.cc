// host retire: takes a host out for good.

#include <grpcpp/grpcpp.h>

#include "absl/strings/str_cat.h"
#include "slipway/v1/fleet.grpc.pb.h"
#include "tools/slipway/controller.h"
#include "tools/slipway/output.h"
#include "tools/slipway/term/confirm.h"
#include "tools/slipway/term/escape.h"
#include "tools/slipway/term/terminal.h"

namespace slipway::cli {
namespace {

std::string RetiredText(const std::string& name) {
  return absl::StrCat(
      name, " is retired: its certificate is of no use any more, and what runs on it goes on.\n",
      "The name is free:  slipway agent enroll ", name, "\n");
}

}  // namespace

ExitCode RunHostRetire(const Invocation& invocation) {
  v1::RetireHostRequest request;
  request.set_name(invocation.Value("HOST"));
  request.set_reason(invocation.Value("reason"));
  request.set_request_id(NewRequestId());
  if (request.reason().empty()) {
    return Usage("--reason is needed: it is kept, and told to the agent whose session is cut");
  }
  const ExitCode sure =
      Confirm(invocation, absl::StrCat(request.name(), " is taken out of the fleet for good"),
              request.name());
  if (sure != ExitCode::done) return sure;

  auto controller = Controller::Dial(invocation);
  if (!controller.ok()) return Fail(controller.status());
  const auto stub = v1::FleetService::NewStub((*controller)->channel());
  v1::Host host;
  const absl::Status status = (*controller)->Call([&](grpc::ClientContext& context) {
    return stub->RetireHost(&context, request, &host);
  });
  if (!status.ok()) return Fail(status);
  if (Json(invocation)) return PrintJson(host);
  Print(RetiredText(Escape(request.name(), true)));
  return ExitCode::done;
}

}  // namespace slipway::cli
