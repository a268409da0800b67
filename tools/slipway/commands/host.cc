// host show, cordon, uncordon, label: one host.

#include <grpcpp/grpcpp.h>

#include "absl/strings/str_cat.h"
#include "common/clock.h"
#include "slipway/v1/fleet.grpc.pb.h"
#include "tools/slipway/controller.h"
#include "tools/slipway/host_text.h"
#include "tools/slipway/output.h"
#include "tools/slipway/term/escape.h"
#include "tools/slipway/term/terminal.h"

namespace slipway::cli {
namespace {

template <class Request>
using Method = grpc::Status (v1::FleetService::Stub::*)(grpc::ClientContext*, const Request&,
                                                        v1::Host*);

template <class Request>
ExitCode CallAndShow(const Invocation& invocation, const Request& request, Method<Request> method) {
  auto controller = Controller::Dial(invocation);
  if (!controller.ok()) return Fail(controller.status());
  const auto stub = v1::FleetService::NewStub((*controller)->channel());
  v1::Host host;
  const absl::Status status = (*controller)->Call([&](grpc::ClientContext& context) {
    return (stub.get()->*method)(&context, request, &host);
  });
  if (!status.ok()) return Fail(status);
  if (Json(invocation)) return PrintJson(host);
  Print(HostText(StandardOutput(), host, SystemClock().Now()));
  return ExitCode::done;
}

}  // namespace

ExitCode RunHostShow(const Invocation& invocation) {
  v1::GetHostRequest request;
  request.set_name(invocation.Value("HOST"));
  return CallAndShow(invocation, request, &v1::FleetService::Stub::GetHost);
}

ExitCode RunHostCordon(const Invocation& invocation) {
  v1::CordonHostRequest request;
  request.set_name(invocation.Value("HOST"));
  request.set_reason(invocation.Value("reason"));
  request.set_request_id(NewRequestId());
  if (request.reason().empty())
    return Usage(
        "--reason is needed: it is shown to everybody who wonders why the host is left out");
  return CallAndShow(invocation, request, &v1::FleetService::Stub::CordonHost);
}

ExitCode RunHostUncordon(const Invocation& invocation) {
  v1::UncordonHostRequest request;
  request.set_name(invocation.Value("HOST"));
  request.set_reason(invocation.Value("reason"));
  request.set_request_id(NewRequestId());
  return CallAndShow(invocation, request, &v1::FleetService::Stub::UncordonHost);
}

ExitCode RunHostLabel(const Invocation& invocation) {
  v1::LabelHostRequest request;
  request.set_name(invocation.Value("HOST"));
  request.set_request_id(NewRequestId());
  for (const std::string& change : invocation.Values("LABEL")) {
    const auto equals = change.find('=');
    if (equals != std::string::npos && equals > 0) {
      (*request.mutable_set())[change.substr(0, equals)] = change.substr(equals + 1);
    } else if (equals == std::string::npos && change.size() > 1 && change.back() == '-') {
      request.add_remove(change.substr(0, change.size() - 1));
    } else {
      return Usage(absl::StrCat("`", Escape(change, true),
                                "` is neither KEY=VALUE, which sets a label, nor KEY-, which "
                                "removes it"));
    }
  }
  return CallAndShow(invocation, request, &v1::FleetService::Stub::LabelHost);
}

}  // namespace slipway::cli
