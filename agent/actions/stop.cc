// Stops a service: drain, ladder, and proof that no process and no listener of it is left.
//
// Not running is success, if the proof holds. Undo starts the service again as it was before the
// rollout; where nothing was deployed before, nothing is started.
#include "absl/strings/str_cat.h"
#include "agent/actions/action_table.h"
#include "agent/actions/binding.h"
#include "agent/actions/service_choice.h"
#include "agent/actions/service_steps.h"
#include "common/status_macros.h"
#include "common/wire/proto_time.h"
#include "slipway/v1/action.pb.h"

namespace slipway::agent {
namespace {

// The service of the release that was here before; nullopt: there was none, or it had no such
// service.
absl::StatusOr<std::optional<BoundService>> Before(ActionContext& ctx) {
  const v1::Stop& stop = ctx.task.action().stop();
  SLIPWAY_ASSIGN_OR_RETURN(const std::string app, AppOf(ctx, stop.app()));
  if (ctx.previous.empty()) return std::optional<BoundService>();
  SLIPWAY_ASSIGN_OR_RETURN(const BoundRelease release, BindDigest(ctx, app, ctx.previous));
  const auto service = BindService(ctx, release, stop.service());
  if (absl::IsNotFound(service.status())) return std::optional<BoundService>();
  SLIPWAY_RETURN_IF_ERROR(service.status());
  return std::optional<BoundService>(*service);
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
    return StopAndProve(ctx, *service);
  }

  AttemptEnd Undo(ActionContext& ctx) const override {
    const auto service = Before(ctx);
    if (!service.ok()) return FromStatus(service.status());
    if (!*service) return Succeeded("nothing ran here before");
    return StartAndWatch(ctx, **service);
  }

  AttemptEnd Probe(ActionContext& ctx) const override {
    const v1::Stop& stop = ctx.task.action().stop();
    if (ctx.direction != Direction::undo) return ProbeStopped(ctx, stop.app(), stop.service());
    const auto service = Before(ctx);
    if (!service.ok()) return FromStatus(service.status());
    if (!*service) return Succeeded("nothing ran here before");
    return ProbeStarted(ctx, **service);
  }
};

}  // namespace

std::unique_ptr<Action> MakeStop() {
  return std::make_unique<Stop>();
}

}  // namespace slipway::agent
