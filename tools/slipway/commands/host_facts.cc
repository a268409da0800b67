// host facts: what a host says of itself, and its labels; what selectors and templates can use.

#include <grpcpp/grpcpp.h>

#include <map>

#include "absl/strings/str_cat.h"
#include "slipway/v1/fleet.grpc.pb.h"
#include "tools/slipway/controller.h"
#include "tools/slipway/output.h"
#include "tools/slipway/term/escape.h"
#include "tools/slipway/term/table.h"
#include "tools/slipway/term/terminal.h"

namespace slipway::cli {
namespace {

std::string FactsText(const Invocation& invocation, const v1::Host& host) {
  const v1::Facts& facts = host.facts();
  Table table = Table::Of(invocation);
  table.Add({"name", Escape(host.name(), true)});
  table.Add({"os", Escape(facts.os(), true)});
  table.Add({"kernel", Escape(facts.kernel(), true)});
  table.Add({"arch", Escape(facts.arch(), true)});
  table.Add({"cpus", absl::StrCat(facts.cpus())});
  table.Add({"memory", Bytes(facts.memory_bytes())});
  table.Add(
      {"agent", host.agent_version().empty() ? "never seen" : Escape(host.agent_version(), true)});
  for (const auto& disk : host.health().disks()) {
    table.Add({absl::StrCat("disk ", Escape(disk.path(), true)), Bytes(disk.total_bytes())});
  }
  const std::map<std::string, std::string> labels(host.labels().begin(), host.labels().end());
  for (const auto& [key, value] : labels) {
    table.Add({absl::StrCat("label ", Escape(key, true)), Escape(value, true)});
  }
  return table.Text(StandardOutput());
}

}  // namespace

ExitCode RunHostFacts(const Invocation& invocation) {
  v1::GetHostRequest request;
  request.set_name(invocation.Value("HOST"));
  auto controller = Controller::Dial(invocation);
  if (!controller.ok()) return Fail(controller.status());
  const auto stub = v1::FleetService::NewStub((*controller)->channel());
  v1::Host host;
  const absl::Status status = (*controller)->Call([&](grpc::ClientContext& context) {
    return stub->GetHost(&context, request, &host);
  });
  if (!status.ok()) return Fail(status);
  if (!Json(invocation)) {
    Print(FactsText(invocation, host));
    return ExitCode::done;
  }
  v1::Host facts;
  facts.set_name(host.name());
  facts.set_agent_version(host.agent_version());
  *facts.mutable_labels() = host.labels();
  *facts.mutable_facts() = host.facts();
  return PrintJson(facts);
}

}  // namespace slipway::cli
