// Watches what a batch switched or started: for `lasts` each service of the apps keeps its process,
// stays silent of what its log must not say since its start, and answers its probes.
//
// Then the release that is live in each app counts as having run healthily on this host, which is
// what a rollback needs to go back to it. Changes nothing else; needs no undo.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "agent/actions/action_table.h"
#include "agent/actions/binding.h"
#include "agent/actions/log_gate.h"
#include "agent/actions/service_steps.h"
#include "agent/releases/host_releases.h"
#include "agent/state/output_spool.h"
#include "common/status_macros.h"
#include "common/wire/proto_time.h"
#include "slipway/v1/action.pb.h"

namespace slipway::agent {
namespace {

constexpr absl::Duration kLookEvery = absl::Seconds(1);
// One lost answer is no news; this many in a row are.
constexpr int kFailedProbesMost = 3;

struct Watched {
  BoundService service;
  pid_t pid = 0;
  LogGate gate;
  int failed_probes = 0;
};

// "" while all is well.
std::string Look(const ActionContext& ctx, Watched& watched) {
  const ServiceStatus status = ctx.services.Inspect(watched.service.spec.id);
  const std::string name = NameOf(watched.service);
  watched.gate.Look();
  if (!watched.gate.offence().empty()) {
    return absl::StrCat(name, " logged \"", watched.gate.offence(), "\"");
  }
  if (status.state == ServiceStatus::State::died) return absl::StrCat(name, " ", status.ended);
  if (status.state == ServiceStatus::State::stopped) return name + " was stopped";
  if (status.pid != watched.pid) {
    return absl::StrCat(name, " was restarted: pid ", watched.pid, " became ", status.pid);
  }
  const absl::Status probe = ProbeOnce(watched.service);
  watched.failed_probes = probe.ok() ? 0 : watched.failed_probes + 1;
  if (watched.failed_probes < kFailedProbesMost) return "";
  return absl::StrCat(name, " does not stay healthy: ", probe.message());
}

// The services of an app that were started here, each by the definition of its own release.
absl::Status WatchApp(const ActionContext& ctx, const std::string& app,
                      std::vector<Watched>& watched) {
  for (const ServiceId& id : ctx.services.Services()) {
    const ServiceStatus status = ctx.services.Inspect(id);
    if (id.app != app || status.state == ServiceStatus::State::stopped) continue;
    const std::string digest = ctx.releases.DigestAt(app, status.release_dir);
    SLIPWAY_ASSIGN_OR_RETURN(const BoundRelease release, BindDigest(ctx, app, digest));
    SLIPWAY_ASSIGN_OR_RETURN(BoundService service, BindService(ctx, release, id.name));
    LogGate gate(ctx.services, id, status.log_start, "", service.must_not_match);
    watched.push_back({std::move(service), status.pid, std::move(gate)});
  }
  return absl::OkStatus();
}

absl::Status MarkApps(const ActionContext& ctx, const std::vector<std::string>& apps) {
  for (const std::string& app : apps) {
    SLIPWAY_ASSIGN_OR_RETURN(const std::string live, ctx.releases.CurrentDigest(app));
    if (!live.empty()) SLIPWAY_RETURN_IF_ERROR(ctx.releases.MarkHealthy(app, live));
  }
  return absl::OkStatus();
}

AttemptEnd WatchAll(ActionContext& ctx) {
  const v1::Bake& bake = ctx.task.action().bake();
  const absl::Duration lasts = FromProto(bake.lasts());
  std::vector<std::string> apps;
  std::vector<Watched> watched;
  for (const std::string& text : bake.apps()) {
    const auto app = AppOf(ctx, text);
    if (!app.ok()) return FromStatus(app.status());
    const absl::Status found = WatchApp(ctx, *app, watched);
    if (!found.ok()) return FromStatus(found);
    apps.push_back(*app);
  }
  const absl::Duration until = ctx.clock.Monotonic() + lasts;
  while (true) {
    for (Watched& each : watched) {
      std::string problem = Look(ctx, each);
      if (!problem.empty()) return FailedWithWords(ctx, each.service, std::move(problem));
    }
    const absl::Duration left = until - ctx.clock.Monotonic();
    if (left <= absl::ZeroDuration()) break;
    ctx.progress("bake", static_cast<std::uint64_t>(absl::ToInt64Milliseconds(lasts - left)),
                 static_cast<std::uint64_t>(absl::ToInt64Milliseconds(lasts)));
    if (!Pause(ctx, std::min(kLookEvery, left))) {
      return ctx.clock.Monotonic() < ctx.deadline
                 ? Failed("cancelled before the bake was over")
                 : AttemptEnd{Verdict::timed_out, "time was up before the bake was over"};
    }
  }
  const absl::Status marked = MarkApps(ctx, apps);
  if (!marked.ok()) return FromStatus(marked);
  return Succeeded(absl::StrCat(watched.size(), watched.size() == 1 ? " service" : " services",
                                " stayed healthy for ", absl::FormatDuration(lasts)));
}

class Bake final : public Action {
 public:
  std::string_view Name() const override { return "bake"; }
  AttemptEnd Apply(ActionContext& ctx) const override { return WatchAll(ctx); }
  AttemptEnd Undo(ActionContext&) const override { return Succeeded(); }
  // What happened while nobody watched shows in the pid and the log; the time is waited again.
  AttemptEnd Probe(ActionContext& ctx) const override {
    return ctx.direction == Direction::undo ? Succeeded() : WatchAll(ctx);
  }
};

}  // namespace

std::unique_ptr<Action> MakeBake() {
  return std::make_unique<Bake>();
}

}  // namespace slipway::agent
