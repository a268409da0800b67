#include "tools/slipway/host_text.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "slipway/v1/fleet.pb.h"
#include "tools/slipway/output.h"
#include "tools/slipway/term/escape.h"
#include "tools/slipway/term/terminal.h"

namespace slipway::cli {
namespace {

std::string Line(const std::string& text) {
  return Escape(text, true);
}

std::string Services(const Stream& stream, const v1::Host& host) {
  std::string text;
  for (const auto& service : host.health().services()) {
    absl::StrAppend(
        &text, text.empty() ? "services  " : "          ",
        Paint(stream, service.healthy() ? Tone::good : Tone::bad,
              Show(stream, service.healthy() ? kGood : kBad)),
        " ", Line(service.name()), "   ",
        service.state() == v1::ServiceHealth::RUNNING ? absl::StrCat("pid ", service.pid())
                                                      : "stopped",
        "   ", Bytes(service.rss_bytes()), "   restarts ", service.restarts(),
        service.detail().empty() ? "" : absl::StrCat("   ", Line(service.detail())), "\n");
  }
  return text;
}

std::string Apps(const v1::Host& host) {
  std::string text;
  for (const auto& app : host.apps()) {
    const auto digest = [](const std::string& d) {
      return d.empty() ? std::string("nothing") : Short(d);
    };
    absl::StrAppend(&text, text.empty() ? "apps      " : "          ", Line(app.app()), "   ",
                    Line(app.label()), "   wanted ", digest(app.wanted()), ", on disk ",
                    digest(app.on_disk()), ", running ", digest(app.running()),
                    app.drift() ? "   drift" : "", "\n");
  }
  return text;
}

}  // namespace

std::string HostText(const Stream& stream, const v1::Host& host, absl::Time now) {
  std::vector<std::string> labels;
  for (const auto& [key, value] : host.labels())
    labels.push_back(absl::StrCat(Line(key), "=", Line(value)));
  const bool connected = host.state() == v1::Host::CONNECTED;
  std::string text = absl::StrCat(
      Paint(stream, Tone::bold, Line(host.name())), "   ", absl::StrJoin(labels, " "), "   agent ",
      host.agent_version().empty() ? "never seen" : Line(host.agent_version()),
      connected
          ? absl::StrCat(", connected ", Took(now - ToTime(host.connected_since())))
          : absl::StrCat(", not connected",
                         host.has_last_seen()
                             ? absl::StrCat(", last seen ", Ago(ToTime(host.last_seen()), now))
                             : ""),
      "\n");
  if (host.cordoned()) {
    absl::StrAppend(&text,
                    Paint(stream, Tone::warn,
                          absl::StrCat("cordoned  by ", Line(host.cordoned_by()), ": ",
                                       Line(host.cordon_reason()))),
                    "\n");
  }
  if (!host.locked_by().empty())
    absl::StrAppend(&text, "in        ", Line(host.locked_by()), " ", Line(host.lock_reason()),
                    "\n");
  absl::StrAppend(&text, Services(stream, host), Apps(host));
  const auto& facts = host.facts();
  if (!facts.os().empty()) {
    absl::StrAppend(&text, "facts     ", Line(facts.os()), "   ", Line(facts.arch()), "   ",
                    facts.cpus(), " cores   ", Bytes(host.health().memory_available_bytes()),
                    " of ", Bytes(facts.memory_bytes()), " free   load ",
                    absl::StrFormat("%.2f", host.health().load1()), "\n");
  }
  for (const auto& disk : host.health().disks()) {
    absl::StrAppend(&text, "disk      ", Line(disk.path()), "   ", Bytes(disk.free_bytes()), " of ",
                    Bytes(disk.total_bytes()), " free\n");
  }
  if (connected) {
    absl::StrAppend(
        &text, "clock     ",
        absl::StrFormat("%+.0f ms", static_cast<double>(host.clock_offset_us()) / 1000.0),
        " from the controller\n");
  }
  return text;
}

}  // namespace slipway::cli
