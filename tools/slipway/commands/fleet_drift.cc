// fleet drift: where what is wanted, on disk and running is not the same.

#include "absl/strings/str_cat.h"
#include "slipway/v1/fleet.pb.h"
#include "tools/slipway/controller.h"
#include "tools/slipway/fleet.h"
#include "tools/slipway/output.h"
#include "tools/slipway/term/escape.h"
#include "tools/slipway/term/table.h"
#include "tools/slipway/term/terminal.h"

namespace slipway::cli {
namespace {

// Only the hosts that drift, only their drifting apps.
void KeepDrift(v1::ListHostsResponse& response) {
  auto& hosts = *response.mutable_hosts();
  for (int h = hosts.size(); h-- > 0;) {
    auto& apps = *hosts[h].mutable_apps();
    for (int a = apps.size(); a-- > 0;) {
      if (!apps[a].drift()) apps.DeleteSubrange(a, 1);
    }
    if (apps.empty()) hosts.DeleteSubrange(h, 1);
  }
}

std::string Wanted(const v1::AppState& app) {
  if (app.wanted().empty() || app.wanted_label().empty()) return ShortOrNothing(app.wanted());
  return absl::StrCat(Escape(app.wanted_label(), true), " ", Short(app.wanted()));
}

std::string DriftText(const Invocation& invocation, const v1::ListHostsResponse& response) {
  if (response.hosts().empty()) {
    return absl::StrCat(Count(response.total(), "host", "hosts"), ", no drift\n");
  }
  Table table = Table::Of(invocation);
  for (const auto& host : response.hosts()) {
    for (const auto& app : host.apps()) {
      table.Add({Escape(host.name(), true), Escape(app.app(), true), Wanted(app),
                 ShortOrNothing(app.on_disk()), ShortOrNothing(app.running()),
                 Escape(host.locked_by(), true)});
    }
  }
  return absl::StrCat(response.hosts_size(), " of ", Count(response.total(), "host", "hosts"),
                      " drift\n\n", table.Text(StandardOutput()));
}

}  // namespace

ExitCode RunFleetDrift(const Invocation& invocation) {
  auto controller = Controller::Dial(invocation);
  if (!controller.ok()) return Fail(controller.status());
  auto response = ListHosts(**controller, invocation.Value("EXPR"));
  if (!response.ok()) return Fail(response.status());
  KeepDrift(*response);
  if (Json(invocation)) {
    PrintJson(*response);
  } else {
    Print(DriftText(invocation, *response));
  }
  const bool says_so = invocation.Flag("exit-code") && !response->hosts().empty();
  return says_so ? ExitCode::differs : ExitCode::done;
}

}  // namespace slipway::cli
