// Brings a component of the release to the host, beside the live one.
//
// Already done: the release is staged and every byte of it is as released. Undo drops the rollout's
// pin only; collection decides later what goes. A source that is away is asked again until the
// attempt's time is up; what was verified meanwhile is kept.
#include "absl/strings/str_cat.h"
#include "agent/actions/action_table.h"
#include "agent/actions/release_step.h"
#include "agent/releases/host_releases.h"
#include "common/status_macros.h"
#include "slipway/v1/action.pb.h"

namespace slipway::agent {
namespace {

constexpr absl::Duration kAskAgainAfter = absl::Seconds(1);

class Stage final : public Action {
 public:
  std::string_view Name() const override { return "stage"; }

  AttemptEnd Apply(ActionContext& ctx) const override {
    const v1::Stage& stage = ctx.task.action().stage();
    const auto step = BindReleaseStep(ctx, stage.app());
    if (!step.ok()) return FromStatus(step.status());
    const bool was_there = ctx.releases.IsStaged(step->app, step->digest);
    const absl::Status staged = Bring(ctx, *step);
    if (!staged.ok()) return FromStatus(staged);
    const std::string& version = ctx.task.release().version();
    return Succeeded(absl::StrCat(stage.component(), " ", version,
                                  was_there ? " was staged already" : " is staged"));
  }

  AttemptEnd Undo(ActionContext& ctx) const override {
    const auto step = BindReleaseStep(ctx, ctx.task.action().stage().app());
    if (!step.ok()) return FromStatus(step.status());
    return FromStatus(ctx.releases.Unpin(step->app, step->digest, ctx.id.rollout.text));
  }

  AttemptEnd Probe(ActionContext& ctx) const override {
    if (ctx.direction == Direction::undo) {
      return {Verdict::not_applied, "dropping a pin may be repeated"};
    }
    const auto step = BindReleaseStep(ctx, ctx.task.action().stage().app());
    if (!step.ok()) return FromStatus(step.status());
    const absl::Status whole = ctx.releases.VerifyTree(step->app, step->digest);
    if (whole.ok()) return Succeeded("the release is staged and whole");
    return {Verdict::not_applied, std::string(whole.message())};
  }

 private:
  static absl::Status Bring(ActionContext& ctx, const ReleaseStep& step) {
    const std::string& rollout = ctx.id.rollout.text;
    if (!ctx.previous.empty()) {
      SLIPWAY_RETURN_IF_ERROR(ctx.releases.Pin(step.app, ctx.previous, rollout));
    }
    const v1::Stage& stage = ctx.task.action().stage();
    const StageOrder order{step.app, step.digest, stage.component(), rollout,
                           stage.keep() == 0 ? 5 : static_cast<int>(stage.keep())};
    const auto time_is_up = [&] { return ctx.clock.Monotonic() >= ctx.deadline; };
    const StageHooks hooks{ctx.progress,
                           [&] { return time_is_up() || ctx.stopping() || ctx.cancelled(); }};
    while (true) {
      const absl::Status staged = ctx.releases.Stage(order, ctx.content, hooks);
      const bool again = absl::IsUnavailable(staged) || absl::IsAborted(staged);
      if (!again && !absl::IsCancelled(staged)) return staged;
      if (time_is_up()) {
        return absl::DeadlineExceededError(
            absl::StrCat("time is up while staging to ", step.app, ": ", staged.message()));
      }
      if (hooks.stopping()) return staged;
      ctx.clock.Sleep(std::min(kAskAgainAfter, ctx.deadline - ctx.clock.Monotonic()));
    }
  }
};

}  // namespace

std::unique_ptr<Action> MakeStage() {
  return std::make_unique<Stage>();
}

}  // namespace slipway::agent
