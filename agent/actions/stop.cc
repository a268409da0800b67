// Stops a service: drain, ladder, and proof that no process and no listener of it is left.
//
// Not running is success, if the proof holds. Whether it ran is written down before anything is
// done to it, so that undo restores what was: a service that ran is started again from the release
// that was here before the rollout, one that was down stays down. Where nothing was deployed
// before, nothing is started.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "agent/actions/action_table.h"
#include "agent/actions/binding.h"
#include "agent/actions/service_choice.h"
#include "agent/actions/service_steps.h"
#include "agent/releases/host_releases.h"
#include "common/status_macros.h"
#include "common/wire/proto_time.h"
#include "slipway/v1/action.pb.h"

namespace slipway::agent {
namespace {

// The service of the release that was here before; nullopt: there was none, or it had no such
// service.
absl::StatusOr<std::optional<BoundService>> Before(ActionContext& ctx, const std::string& app) {
  if (ctx.previous.empty()) return std::optional<BoundService>();
  SLIPWAY_ASSIGN_OR_RETURN(const BoundRelease release, BindDigest(ctx, app, ctx.previous));
  const auto service = BindService(ctx, release, ctx.task.action().stop().service());
  if (absl::IsNotFound(service.status())) return std::optional<BoundService>();
  SLIPWAY_RETURN_IF_ERROR(service.status());
  return std::optional<BoundService>(*service);
}

// Before the stop, and after a restart that came before the word was written. Where nothing was
// deployed there is nothing to start again, so that nothing is kept.
absl::Status Remember(ActionContext& ctx, const std::string& app, bool running) {
  if (ctx.previous.empty() || ctx.direction != Direction::apply) return absl::OkStatus();
  return ctx.releases.RememberService(app, ctx.id.rollout.text, ctx.task.action().stop().service(),
                                      running);
}

bool Runs(const ActionContext& ctx, const ServiceId& id) {
  return ctx.services.Inspect(id).state == ServiceStatus::State::running;
}

// Of a unit that no agent started nothing is known here before its stop. systemd may well run it,
// and a rollback that leaves it down is worse than one that leaves it up.
bool CountsAsRunning(const ActionContext& ctx, const BoundService& service) {
  if (Runs(ctx, service.spec.id)) return true;
  if (service.spec.unit.empty()) return false;
  const std::vector<ServiceId> known = ctx.services.Services();
  return std::find(known.begin(), known.end(), service.spec.id) == known.end();
}

// What an undo has to bring about.
struct Back {
  std::string app;
  std::optional<BoundService> service;  // of the release that was here before
  bool runs = false;
};

absl::StatusOr<Back> WantedBack(ActionContext& ctx) {
  const std::string& name = ctx.task.action().stop().service();
  Back wanted;
  SLIPWAY_ASSIGN_OR_RETURN(wanted.app, AppOf(ctx, ctx.task.action().stop().app()));
  SLIPWAY_ASSIGN_OR_RETURN(wanted.service, Before(ctx, wanted.app));
  if (!wanted.service) return wanted;
  const auto ran = ctx.releases.ServiceRanBefore(wanted.app, ctx.id.rollout.text, name);
  if (!ran.ok() && !absl::IsNotFound(ran.status())) return ran.status();
  // Without a word on it the rollout never came to stop it: as it is, so it was.
  wanted.runs = ran.ok() ? *ran : Runs(ctx, {wanted.app, name});
  return wanted;
}

class Stop final : public Action {
 public:
  std::string_view Name() const override { return "stop"; }

  AttemptEnd Apply(ActionContext& ctx) const override {
    const v1::Stop& stop = ctx.task.action().stop();
    const auto app = AppOf(ctx, stop.app());
    if (!app.ok()) return FromStatus(app.status());
    auto service = ServiceToStop(ctx, *app, stop.service());
    if (!service.ok()) return FromStatus(service.status());
    if (stop.has_drain()) service->drain = FromProto(stop.drain());
    if (stop.ladder_size() > 0) {
      auto ladder = ParseLadder({stop.ladder().begin(), stop.ladder().end()});
      if (!ladder.ok()) return FromStatus(ladder.status());
      service->ladder = *std::move(ladder);
    }
    const absl::Status remembered = Remember(ctx, *app, CountsAsRunning(ctx, *service));
    return remembered.ok() ? StopAndProve(ctx, *service) : FromStatus(remembered);
  }

  AttemptEnd Undo(ActionContext& ctx) const override {
    const auto wanted = WantedBack(ctx);
    if (!wanted.ok()) return FromStatus(wanted.status());
    if (!wanted->service) return Succeeded("nothing ran here before");
    if (wanted->runs) return StartAndWatch(ctx, *wanted->service);
    const std::string& name = ctx.task.action().stop().service();
    const auto service = ServiceToStop(ctx, wanted->app, name);
    if (!service.ok()) return FromStatus(service.status());
    AttemptEnd end = StopAndProve(ctx, *service);
    if (end.verdict == Verdict::succeeded) {
      end.message = absl::StrCat(name, " did not run before the rollout, and does not run");
    }
    return end;
  }

  AttemptEnd Probe(ActionContext& ctx) const override {
    const v1::Stop& stop = ctx.task.action().stop();
    if (ctx.direction != Direction::undo) {
      const auto app = AppOf(ctx, stop.app());
      if (!app.ok()) return FromStatus(app.status());
      const auto service = ServiceToStop(ctx, *app, stop.service());
      if (!service.ok()) return FromStatus(service.status());
      if (!Runs(ctx, service->spec.id)) {
        const absl::Status remembered = Remember(ctx, *app, CountsAsRunning(ctx, *service));
        if (!remembered.ok()) return FromStatus(remembered);
      }
      return ProbeStopped(ctx, stop.app(), stop.service());
    }
    const auto wanted = WantedBack(ctx);
    if (!wanted.ok()) return FromStatus(wanted.status());
    if (!wanted->service) return Succeeded("nothing ran here before");
    if (wanted->runs) return ProbeStarted(ctx, *wanted->service);
    return ProbeStopped(ctx, stop.app(), stop.service());
  }
};

}  // namespace

std::unique_ptr<Action> MakeStop() {
  return std::make_unique<Stop>();
}

}  // namespace slipway::agent
