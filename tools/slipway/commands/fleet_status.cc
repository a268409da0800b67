// fleet status, agent list: hosts as they report themselves, exceptions first.

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/clock.h"
#include "slipway/v1/fleet.pb.h"
#include "tools/slipway/controller.h"
#include "tools/slipway/fleet.h"
#include "tools/slipway/output.h"
#include "tools/slipway/term/escape.h"
#include "tools/slipway/term/table.h"
#include "tools/slipway/term/terminal.h"

namespace slipway::cli {
namespace {

std::string Line(const std::string& text) {
  return Escape(text, true);
}

// Worst first; 0 is nothing to look at.
int Rank(const v1::Host& host) {
  if (host.state() == v1::Host::QUARANTINED) return 5;
  if (host.state() == v1::Host::SILENT) return 4;
  if (host.state() == v1::Host::CONNECTED && !IsHealthy(host)) return 3;
  if (HasDrift(host)) return 2;
  if (host.cordoned() || host.state() != v1::Host::CONNECTED) return 1;
  return 0;
}

std::string State(const Stream& stream, const v1::Host& host) {
  const auto show = [&](const Mark& mark, Tone tone, const char* word) {
    return Paint(stream, tone, absl::StrCat(Show(stream, mark), " ", word));
  };
  if (host.state() == v1::Host::QUARANTINED) return show(kBad, Tone::bad, "quarantined");
  if (host.state() == v1::Host::SILENT) return show(kBad, Tone::bad, "silent");
  if (host.state() == v1::Host::ENROLLED) return show(kWaiting, Tone::dim, "never seen");
  if (!IsHealthy(host)) return show(kBad, Tone::bad, "unhealthy");
  if (host.cordoned()) return show(kOut, Tone::warn, "cordoned");
  if (HasDrift(host)) return show(kNote, Tone::warn, "drift");
  return show(kGood, Tone::good, "healthy");
}

std::string Apps(const v1::Host& host) {
  std::vector<std::string> parts;
  for (const auto& app : host.apps()) {
    const std::string name = app.label().empty()
                                 ? (app.on_disk().empty() ? "-" : Short(app.on_disk()))
                                 : Line(app.label());
    parts.push_back(absl::StrCat(name, app.drift() ? "!" : ""));
  }
  return parts.empty() ? "-" : absl::StrJoin(parts, " ");
}

std::string Note(const v1::Host& host) {
  std::vector<std::string> notes;
  if (!host.locked_by().empty()) notes.push_back(absl::StrCat("in ", Line(host.locked_by())));
  if (host.cordoned())
    notes.push_back(absl::StrCat(Line(host.cordoned_by()), ": ", Line(host.cordon_reason())));
  for (const auto& service : host.health().services()) {
    if (!service.healthy())
      notes.push_back(absl::StrCat(Line(service.name()), ": ", Line(service.detail())));
  }
  for (const auto& app : host.apps()) {
    if (!app.drift()) continue;
    notes.push_back(absl::StrCat("wanted ",
                                 app.wanted().empty()         ? "nothing"
                                 : app.wanted_label().empty() ? Short(app.wanted())
                                                              : Line(app.wanted_label()),
                                 ", on disk ", ShortOrNothing(app.on_disk()), ", running ",
                                 ShortOrNothing(app.running())));
  }
  return absl::StrJoin(notes, "; ");
}

Cell DiskUsed(const v1::Host& host) {
  double most = -1;
  for (const auto& disk : host.health().disks()) {
    if (disk.total_bytes() > 0) {
      most = std::max(most, 1.0 - static_cast<double>(disk.free_bytes()) /
                                      static_cast<double>(disk.total_bytes()));
    }
  }
  return most < 0 ? Cell("-") : Cell(absl::StrFormat("%.0f %%", most * 100), most);
}

std::string Summary(const v1::ListHostsResponse& response) {
  return absl::StrCat(Count(response.total(), "host", "hosts"), "   ", response.healthy(),
                      " healthy   ", response.cordoned(), " cordoned   ", response.unhealthy(),
                      " unhealthy   ", response.silent(), " silent\n");
}

// A fleet of so many is shown whole; of a larger one only what wants a look.
constexpr std::uint32_t kShownWhole = 20;

// What will be shown, and no more: thousands of healthy hosts need not cross the network.
absl::StatusOr<v1::ListHostsResponse> HostsToShow(const Controller& controller,
                                                  const std::string& selector, bool all) {
  if (all) return ListHosts(controller, selector);
  auto response = ListHosts(controller, selector, Hosts::exceptions);
  if (!response.ok() || response->total() > kShownWhole) return response;
  return ListHosts(controller, selector);
}

}  // namespace

ExitCode RunFleetStatus(const Invocation& invocation) {
  auto controller = Controller::Dial(invocation);
  if (!controller.ok()) return Fail(controller.status());
  auto response = HostsToShow(**controller, invocation.Value("EXPR"),
                              invocation.Flag("all") || Json(invocation));
  if (!response.ok()) return Fail(response.status());
  if (Json(invocation)) return PrintJson(*response);
  const Stream& out = StandardOutput();
  std::vector<const v1::Host*> hosts;
  for (const auto& host : response->hosts()) hosts.push_back(&host);
  std::stable_sort(hosts.begin(), hosts.end(),
                   [](const auto* a, const auto* b) { return Rank(*a) > Rank(*b); });

  Table table = Table::Of(invocation);
  const absl::Time now = SystemClock().Now();
  for (const v1::Host* host : hosts) {
    table.Add({Line(host->name()), State(out, *host), Apps(*host),
               Cell(absl::StrFormat("%.2f", host->health().load1()), host->health().load1()),
               DiskUsed(*host), Line(host->agent_version()),
               host->has_last_seen() ? Age(ToTime(host->last_seen()), now) : "never", Note(*host)});
  }
  std::string text = Summary(*response);
  if (!response->degraded().empty()) {
    absl::StrAppend(
        &text, Paint(out, Tone::bad, absl::StrCat("degraded: ", Line(response->degraded()))), "\n");
  }
  if (!table.empty()) absl::StrAppend(&text, "\n", table.Text(out));
  const std::size_t total = response->total();
  if (const std::size_t hidden = total - std::min(total, hosts.size()); hidden > 0)
    absl::StrAppend(&text, "... ", Count(hidden, "healthy host", "healthy hosts"),
                    " not shown (--all)\n");
  Print(text);
  return ExitCode::done;
}

ExitCode RunAgentList(const Invocation& invocation) {
  auto controller = Controller::Dial(invocation);
  if (!controller.ok()) return Fail(controller.status());
  auto response = ListHosts(**controller, "");
  if (!response.ok()) return Fail(response.status());
  if (Json(invocation)) return PrintJson(*response);
  Table table = Table::Of(invocation);
  const absl::Time now = SystemClock().Now();
  for (const auto& host : response->hosts()) {
    std::vector<std::string> labels;
    for (const auto& [key, value] : host.labels())
      labels.push_back(absl::StrCat(Line(key), "=", Line(value)));
    std::sort(labels.begin(), labels.end());
    const bool connected = host.state() == v1::Host::CONNECTED;
    const double round_trip = host.round_trip_us() / 1000.0;
    const double clock = static_cast<double>(host.clock_offset_us()) / 1000.0;
    table.Add({Line(host.name()), host.agent_version().empty() ? "-" : Line(host.agent_version()),
               connected ? Lasted(now - ToTime(host.connected_since())) : "no",
               connected ? Cell(absl::StrFormat("%.1f ms", round_trip), round_trip) : "-",
               connected ? Cell(absl::StrFormat("%+.0f ms", clock), clock) : "-",
               absl::StrJoin(labels, " ")});
  }
  Print(table.empty() ? "no host is enrolled: slipway agent enroll HOST\n"
                      : table.Text(StandardOutput()));
  return ExitCode::done;
}

}  // namespace slipway::cli
