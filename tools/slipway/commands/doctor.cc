// doctor: is everything there that a rollout needs, and what to do where it is not.

#include <grpcpp/grpcpp.h>

#include <cmath>
#include <map>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/clock.h"
#include "common/tls/verify.h"
#include "common/version.h"
#include "slipway/v1/fleet.grpc.pb.h"
#include "tools/slipway/client_settings.h"
#include "tools/slipway/controller.h"
#include "tools/slipway/fleet.h"
#include "tools/slipway/json_document.h"
#include "tools/slipway/output.h"
#include "tools/slipway/term/escape.h"
#include "tools/slipway/term/terminal.h"

namespace slipway::cli {
namespace {

constexpr absl::Duration kExpiresSoon = absl::Hours(30 * 24);
constexpr std::int64_t kClockOffMostUs = 1'000'000;
constexpr double kDiskUsedMost = 0.9;

enum class Verdict { good, warning, failure };

struct Finding {
  const char* part;  // "controller", "agents", "this machine"
  Verdict verdict;
  std::string text;  // safe to show
  std::string next;  // the command that helps; "" = none
};

class Examination {
 public:
  explicit Examination(const Invocation& invocation) : invocation_(invocation) {}

  std::vector<Finding> Run() {
    if (Certificate()) Reach();
    const bool utf8 = !StandardOutput().ascii;
    Note("this machine", utf8 ? Verdict::good : Verdict::warning,
         utf8 ? "the terminal shows UTF-8" : "the locale is not UTF-8: marks are shown as ASCII");
    return std::move(findings_);
  }

 private:
  void Note(const char* part, Verdict verdict, std::string text, std::string next = "") {
    findings_.push_back({part, verdict, Escape(text, true), std::move(next)});
  }

  // Configuration, key and certificate. False: nothing can be dialled with them.
  bool Certificate() {
    const auto settings = FindClientSettings(invocation_);
    const auto keys = settings.ok() ? tls::LoadKeyMaterial(settings->Config())
                                    : absl::StatusOr<tls::KeyMaterial>(settings.status());
    if (!keys.ok()) {
      Note("this machine", Verdict::failure, std::string(keys.status().message()));
      return false;
    }
    const auto expiry = tls::ExpiryOf(keys->certificate_pem);
    if (!expiry.ok()) {
      Note("this machine", Verdict::failure, std::string(expiry.status().message()));
      return false;
    }
    const absl::Duration left = *expiry - SystemClock().Now();
    const std::string days = absl::StrCat(absl::ToInt64Hours(left) / 24, " d");
    if (left <= absl::ZeroDuration()) {
      Note("this machine", Verdict::failure, "your certificate has expired",
           "slipway-controller operator add NAME");
    } else if (left < kExpiresSoon) {
      Note("this machine", Verdict::warning,
           absl::StrCat("your certificate is valid for ", days, " only"),
           "slipway-controller operator add NAME");
    } else {
      Note("this machine", Verdict::good, absl::StrCat("your certificate is valid for ", days));
    }
    return true;
  }

  void Reach() {
    const auto controller = Controller::Dial(invocation_);
    if (!controller.ok()) {
      return Note("controller", Verdict::failure, std::string(controller.status().message()));
    }
    (*controller)->WaitForConnection(absl::Seconds(2));
    const absl::Duration began = SystemClock().Monotonic();
    const auto hosts = ListHosts(**controller, "");
    const absl::Duration took = SystemClock().Monotonic() - began;
    if (!hosts.ok()) {
      return Note("controller", Verdict::failure, std::string(hosts.status().message()));
    }
    Note("controller", Verdict::good,
         absl::StrCat((*controller)->address(), " answers in ", Took(took)));
    if (hosts->degraded().empty()) {
      Note("controller", Verdict::good, "its journal can be written");
    } else {
      Note("controller", Verdict::failure, absl::StrCat("degraded: ", hosts->degraded()));
    }
    Agents(*hosts);
  }

  void Agents(const v1::ListHostsResponse& response) {
    if (response.hosts().empty()) {
      return Note("agents", Verdict::warning, "no host is enrolled", "slipway agent enroll HOST");
    }
    int connected = 0;
    for (const auto& host : response.hosts()) {
      connected += host.state() == v1::Host::CONNECTED;
      LookAt(host);
    }
    const int all = response.hosts_size();
    Note("agents", connected == all ? Verdict::good : Verdict::failure,
         absl::StrCat(connected, " of ", all, " connected"),
         connected == all ? "" : "slipway agent list");
  }

  void LookAt(const v1::Host& host) {
    const std::string show = absl::StrCat("slipway host show ", Escape(host.name(), true));
    if (host.state() != v1::Host::CONNECTED) return;  // counted
    if (!IsHealthy(host)) {
      Note("agents", Verdict::failure, absl::StrCat(host.name(), " has a service that is not well"),
           show);
    }
    if (HasDrift(host)) {
      Note("agents", Verdict::warning,
           absl::StrCat(host.name(), " runs something else than wanted"), "slipway fleet drift");
    }
    if (host.agent_version() != Version()) {
      Note("agents", Verdict::warning,
           absl::StrCat(host.name(), " runs agent ", host.agent_version(), ", and this is ",
                        std::string(Version())),
           show);
    }
    if (std::abs(host.clock_offset_us()) > kClockOffMostUs) {
      Note("agents", Verdict::warning,
           absl::StrCat("the clock of ", host.name(),
                        absl::StrFormat(" is %+.1f s off",
                                        static_cast<double>(host.clock_offset_us()) / 1e6)),
           show);
    }
    for (const auto& disk : host.health().disks()) {
      if (disk.total_bytes() == 0) continue;
      const double used =
          1.0 - static_cast<double>(disk.free_bytes()) / static_cast<double>(disk.total_bytes());
      if (used <= kDiskUsedMost) continue;
      Note("agents", Verdict::warning,
           absl::StrCat(disk.path(), " on ", host.name(),
                        absl::StrFormat(" is %.0f %% full", used * 100)),
           show);
    }
  }

  const Invocation& invocation_;
  std::vector<Finding> findings_;
};

std::string Text(const std::vector<Finding>& findings) {
  const Stream& out = StandardOutput();
  std::string text;
  for (const char* part : {"controller", "agents", "this machine"}) {
    std::string lines;
    for (const Finding& finding : findings) {
      if (std::string_view(finding.part) != part) continue;
      const Mark& mark = finding.verdict == Verdict::good      ? kGood
                         : finding.verdict == Verdict::warning ? kNote
                                                               : kBad;
      const Tone tone = finding.verdict == Verdict::good      ? Tone::good
                        : finding.verdict == Verdict::warning ? Tone::warn
                                                              : Tone::bad;
      absl::StrAppend(&lines, "  ", Paint(out, tone, Show(out, mark)), " ", finding.text,
                      finding.next.empty() ? "" : absl::StrCat("      ", finding.next), "\n");
    }
    if (!lines.empty()) absl::StrAppend(&text, part, "\n", lines);
  }
  return text;
}

nlohmann::ordered_json Document(const std::vector<Finding>& findings) {
  nlohmann::ordered_json document;
  auto& checks = document["checks"] = nlohmann::ordered_json::array();
  for (const Finding& finding : findings) {
    auto& fields = checks.emplace_back();
    fields["part"] = finding.part;
    fields["verdict"] = finding.verdict == Verdict::good      ? "good"
                        : finding.verdict == Verdict::warning ? "warning"
                                                              : "failure";
    fields["text"] = finding.text;
    fields["next"] = finding.next;
  }
  return document;
}

}  // namespace

ExitCode RunDoctor(const Invocation& invocation) {
  const std::vector<Finding> findings = Examination(invocation).Run();
  std::size_t failures = 0, warnings = 0;
  for (const Finding& finding : findings) {
    failures += finding.verdict == Verdict::failure;
    warnings += finding.verdict == Verdict::warning;
  }
  if (Json(invocation)) {
    PrintDocument(Document(findings));
  } else {
    Print(absl::StrCat(Text(findings), Count(failures, "failure", "failures"), ", ",
                       Count(warnings, "warning", "warnings"), "\n"));
  }
  if (failures > 0) return ExitCode::unsound;
  return warnings > 0 && invocation.Flag("strict") ? ExitCode::doubtful : ExitCode::done;
}

}  // namespace slipway::cli
