#include "tools/slipway/fleet.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>

#include "slipway/v1/fleet.grpc.pb.h"
#include "tools/slipway/controller.h"
#include "tools/slipway/output.h"

namespace slipway::cli {

absl::StatusOr<v1::ListHostsResponse> ListHosts(const Controller& controller,
                                                const std::string& selector, Hosts wanted) {
  const auto stub = v1::FleetService::NewStub(controller.channel());
  v1::ListHostsResponse all;
  v1::ListHostsRequest request;
  request.set_selector(selector);
  request.set_page_size(10000);
  request.set_exceptions_only(wanted == Hosts::exceptions);
  do {
    v1::ListHostsResponse page;
    const absl::Status status = controller.Call(
        [&](grpc::ClientContext& context) { return stub->ListHosts(&context, request, &page); });
    if (!status.ok()) return status;
    request.set_page_token(page.next_page_token());
    all.MergeFrom(page);
    all.set_next_page_token(page.next_page_token());
  } while (!all.next_page_token().empty());
  return all;
}

bool HasDrift(const v1::Host& host) {
  return std::any_of(host.apps().begin(), host.apps().end(),
                     [](const auto& app) { return app.drift(); });
}

bool IsHealthy(const v1::Host& host) {
  const auto& services = host.health().services();
  return host.state() == v1::Host::CONNECTED &&
         std::all_of(services.begin(), services.end(), [](const auto& s) { return s.healthy(); });
}

std::string ShortOrNothing(const std::string& digest) {
  return digest.empty() ? "nothing" : Short(digest);
}

}  // namespace slipway::cli
