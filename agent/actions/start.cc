// Starts a service of the release and watches it until it is ready: its log from the exact place
// of the start, its probes, and that what runs is of this release.
//
// Already running from the wanted release and ready is success. Undo stops what runs.
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

// As the task wants it; nullopt: there was no release to go back to.
absl::StatusOr<std::optional<BoundService>> Wanted(ActionContext& ctx) {
  const v1::Start& start = ctx.task.action().start();
  SLIPWAY_ASSIGN_OR_RETURN(const std::string app, AppOf(ctx, start.app()));
  SLIPWAY_ASSIGN_OR_RETURN(const std::optional<BoundRelease> release, Bind(ctx, app));
  if (!release) return std::optional<BoundService>();
  SLIPWAY_ASSIGN_OR_RETURN(BoundService service, BindService(ctx, *release, start.service()));
  if (start.has_deadline()) {
    service.deadline = service.spec.up_within = FromProto(start.deadline());
  }
  return std::optional<BoundService>(std::move(service));
}

class Start final : public Action {
 public:
  std::string_view Name() const override { return "start"; }

  AttemptEnd Apply(ActionContext& ctx) const override {
    const auto service = Wanted(ctx);
    if (!service.ok()) return FromStatus(service.status());
    if (!*service) return Succeeded("nothing was deployed before");
    return StartAndWatch(ctx, **service);
  }

  AttemptEnd Undo(ActionContext& ctx) const override {
    const v1::Start& start = ctx.task.action().start();
    const auto app = AppOf(ctx, start.app());
    if (!app.ok()) return FromStatus(app.status());
    const auto service = ServiceToStop(ctx, *app, start.service());
    return service.ok() ? StopAndProve(ctx, *service) : FromStatus(service.status());
  }

  AttemptEnd Probe(ActionContext& ctx) const override {
    const v1::Start& start = ctx.task.action().start();
    if (ctx.direction == Direction::undo) return ProbeStopped(ctx, start.app(), start.service());
    const auto service = Wanted(ctx);
    if (!service.ok()) return FromStatus(service.status());
    if (!*service) return Succeeded("nothing was deployed before");
    return ProbeStarted(ctx, **service);
  }
};

}  // namespace

std::unique_ptr<Action> MakeStart() {
  return std::make_unique<Start>();
}

}  // namespace slipway::agent
