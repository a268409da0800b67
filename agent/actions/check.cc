// Probes: http, tcp, a program of the release, or that a service runs from what is live.
//
// All given kinds must pass in one round. Until the deadline a failing round is repeated each
// second. A check changes nothing: it may be repeated at will and needs no undo.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "agent/actions/action_table.h"
#include "agent/actions/binding.h"
#include "agent/actions/hook_order.h"
#include "agent/actions/service_steps.h"
#include "agent/health/observe.h"
#include "agent/health/probe.h"
#include "agent/releases/host_releases.h"
#include "common/status_macros.h"
#include "common/template.h"
#include "common/wire/proto_time.h"
#include "slipway/v1/action.pb.h"

namespace slipway::agent {
namespace {

constexpr absl::Duration kRoundEvery = absl::Seconds(1);
constexpr absl::Duration kProbeTimeout = absl::Seconds(5);

absl::Status CheckHttp(const v1::Check& check, const BoundRelease& release) {
  SLIPWAY_ASSIGN_OR_RETURN(const std::string url, Render(check.http(), release.vars));
  HttpExpectation expected{.status = static_cast<int>(check.status())};
  SLIPWAY_ASSIGN_OR_RETURN(expected.contains, Render(check.contains(), release.vars));
  for (const auto& [member, value] : check.json()) {
    SLIPWAY_ASSIGN_OR_RETURN(expected.json[member], Render(value, release.vars));
  }
  return HttpProbe(url, expected, kProbeTimeout);
}

absl::Status CheckTcp(const v1::Check& check, const BoundRelease& release) {
  SLIPWAY_ASSIGN_OR_RETURN(const std::string address, Render(check.tcp(), release.vars));
  return TcpProbe(address, kProbeTimeout);
}

absl::Status CheckProcess(const ActionContext& ctx, const std::string& service,
                          const std::string& app) {
  const ServiceStatus status = ctx.services.Inspect({app, service});
  if (status.state != ServiceStatus::State::running) {
    return absl::FailedPreconditionError(
        absl::StrCat(service, " does not run", status.ended.empty() ? "" : ": it " + status.ended));
  }
  SLIPWAY_ASSIGN_OR_RETURN(const std::string live, ctx.releases.CurrentDigest(app));
  SLIPWAY_RETURN_IF_ERROR(ProbeNamed(status.http, status.http_names, kProbeTimeout));
  const std::string running = RunningDigest(ctx.releases, app, status, true);
  if (running == live && !live.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(service, " (pid ", status.pid, ") runs ",
                                                    status.executable, ", not what ", app,
                                                    "/current names"));
}

// Each round is a run of its own, told apart by `round`.
absl::Status CheckExec(ActionContext& ctx, const v1::Check& check, const BoundRelease& release,
                       int round) {
  SLIPWAY_ASSIGN_OR_RETURN(
      HookOrder order,
      OrderOf(ctx, release, check.exec(0), {check.exec().begin() + 1, check.exec().end()}));
  order.part = absl::StrCat("check-", round);
  SLIPWAY_ASSIGN_OR_RETURN(const HookEnd end, ctx.hooks.Run(order, ctx.output, WatchOf(ctx)));
  if (end.exit.code == 0 && end.exit.signal == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(check.exec(0), " ", Describe(end.exit)));
}

absl::Status Round(ActionContext& ctx, const BoundRelease& release, int round) {
  const v1::Check& check = ctx.task.action().check();
  if (!check.process().empty()) {
    SLIPWAY_RETURN_IF_ERROR(CheckProcess(ctx, check.process(), release.app));
  }
  if (!check.tcp().empty()) SLIPWAY_RETURN_IF_ERROR(CheckTcp(check, release));
  if (!check.http().empty()) SLIPWAY_RETURN_IF_ERROR(CheckHttp(check, release));
  if (check.exec_size() > 0) SLIPWAY_RETURN_IF_ERROR(CheckExec(ctx, check, release, round));
  return absl::OkStatus();
}

std::string NameOf(const v1::Check& check) {
  if (!check.http().empty()) return "http check";
  if (!check.tcp().empty()) return "tcp check";
  return check.exec_size() > 0 ? "exec check" : "process check";
}

// Waiting does not help against these.
bool Hopeless(const absl::Status& status) {
  return absl::IsInvalidArgument(status) || absl::IsNotFound(status);
}

absl::StatusOr<std::optional<BoundRelease>> BindCheck(const ActionContext& ctx) {
  const v1::Check& check = ctx.task.action().check();
  std::string app;
  if (!check.app().empty() || !ctx.task.app().empty() || !check.process().empty()) {
    SLIPWAY_ASSIGN_OR_RETURN(app, AppOf(ctx, check.app()));
  }
  return Bind(ctx, app);
}

AttemptEnd Rounds(ActionContext& ctx) {
  const v1::Check& check = ctx.task.action().check();
  const auto release = BindCheck(ctx);
  if (!release.ok()) return FromStatus(release.status());
  if (!*release) return Succeeded("nothing was deployed before");
  const absl::Duration began = ctx.clock.Monotonic();
  const absl::Duration until = std::min(began + FromProto(check.deadline()), ctx.deadline);
  for (int round = 1;; ++round) {
    const absl::Status passed = Round(ctx, **release, round);
    if (passed.ok()) return Succeeded(NameOf(check) + " passed");
    ctx.output.Say(std::string(passed.message()));
    const AttemptEnd blamed =
        BlameDeadService(ctx, (*release)->app, {Verdict::try_later, std::string(passed.message())});
    if (blamed.verdict == Verdict::failed) return blamed;
    const absl::Duration left = until - ctx.clock.Monotonic();
    if (left <= absl::ZeroDuration() || Hopeless(passed) || !TimeLeft(ctx)) {
      return Failed(absl::StrCat(
          passed.message(), " (", round, round == 1 ? " try" : " tries", " in ",
          absl::FormatDuration(absl::Trunc(ctx.clock.Monotonic() - began, absl::Milliseconds(1))),
          ")"));
    }
    ctx.clock.Sleep(std::min(kRoundEvery, left));
  }
}

class Check final : public Action {
 public:
  std::string_view Name() const override { return "check"; }
  AttemptEnd Apply(ActionContext& ctx) const override { return Rounds(ctx); }
  AttemptEnd Undo(ActionContext&) const override { return Succeeded(); }
  AttemptEnd Probe(ActionContext& ctx) const override {
    return ctx.direction == Direction::undo ? Succeeded() : Rounds(ctx);
  }
};

}  // namespace

std::unique_ptr<Action> MakeCheck() {
  return std::make_unique<Check>();
}

}  // namespace slipway::agent
