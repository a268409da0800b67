#include "agent/actions/service_choice.h"

#include "absl/strings/str_cat.h"
#include "agent/actions/service_steps.h"
#include "agent/actions/traffic.h"
#include "agent/releases/host_releases.h"
#include "common/status_macros.h"
#include "slipway/v1/action.pb.h"

namespace slipway::agent {

using State = ServiceStatus::State;

absl::StatusOr<BoundService> ServiceToStop(const ActionContext& ctx, const std::string& app,
                                           const std::string& name) {
  const ServiceStatus status = ctx.services.Inspect({app, name});
  std::vector<std::string> digests;
  if (!status.release_dir.empty()) {
    digests.push_back(ctx.releases.DigestAt(app, status.release_dir));
  }
  SLIPWAY_ASSIGN_OR_RETURN(const std::string live, ctx.releases.CurrentDigest(app));
  digests.push_back(live);
  digests.push_back(ctx.previous);
  for (const std::string& digest : digests) {
    if (digest.empty() || !ctx.releases.IsStaged(app, digest)) continue;
    SLIPWAY_ASSIGN_OR_RETURN(const BoundRelease release, BindDigest(ctx, app, digest));
    const auto service = BindService(ctx, release, name);
    if (service.ok() || !absl::IsNotFound(service.status())) return service;
  }
  SLIPWAY_ASSIGN_OR_RETURN(const std::optional<BoundRelease> release, Bind(ctx, app));
  if (release && ctx.releases.IsStaged(app, release->digest)) {
    return BindService(ctx, *release, name);
  }
  // Nothing of it was ever here: there is only the proof to give, and no port is known.
  BoundService unknown{.spec = {.id = {app, name}}};
  SLIPWAY_ASSIGN_OR_RETURN(unknown.ladder, ParseLadder({}));
  return unknown;
}

AttemptEnd ProbeStarted(ActionContext& ctx, const BoundService& service) {
  const ServiceStatus status = ctx.services.Inspect(service.spec.id);
  const bool of_this_release = status.release_dir == service.spec.release_dir;
  if (status.state == State::stopped || !of_this_release) {
    return {Verdict::not_applied, absl::StrCat(NameOf(service), " was not started")};
  }
  if (status.with_machine) {
    return {Verdict::not_applied, absl::StrCat(NameOf(service), " ", status.ended)};
  }
  AttemptEnd end = WatchUntilReady(ctx, service);
  if (end.verdict != Verdict::succeeded) return end;
  const auto in = IsInTraffic(service);
  if (!in.ok()) return FromStatus(in.status());
  return *in ? end
             : AttemptEnd{Verdict::not_applied, absl::StrCat(NameOf(service), " gets no traffic")};
}

AttemptEnd ProbeStopped(ActionContext& ctx, const std::string& app, const std::string& name) {
  const auto rendered = AppOf(ctx, app);
  if (!rendered.ok()) return FromStatus(rendered.status());
  if (ctx.services.Inspect({*rendered, name}).state == State::running) {
    return {Verdict::not_applied, absl::StrCat(name, " still runs")};
  }
  // It does not run, so that this only proves it.
  const auto service = ServiceToStop(ctx, *rendered, name);
  return service.ok() ? StopAndProve(ctx, *service) : FromStatus(service.status());
}

}  // namespace slipway::agent
