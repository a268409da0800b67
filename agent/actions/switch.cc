// Points `current` at the release, in one step: it is the old one or the new one.
//
// Already done: `current` names the release. Before it is turned, in either direction, every byte
// of where it will point is proved. Undo points it back to what the rollout found here, or removes
// it where there was nothing. A `current` that this agent did not make is never touched.
#include "absl/strings/str_cat.h"
#include "agent/actions/action_table.h"
#include "agent/actions/release_step.h"
#include "agent/releases/host_releases.h"
#include "slipway/v1/action.pb.h"

namespace slipway::agent {
namespace {

// What `current` is to name, "" for nothing.
std::string Target(const ActionContext& ctx, const ReleaseStep& step) {
  return ctx.direction == Direction::apply ? step.digest : ctx.previous;
}

class Switch final : public Action {
 public:
  std::string_view Name() const override { return "switch"; }

  AttemptEnd Apply(ActionContext& ctx) const override { return TurnTo(ctx, Direction::apply); }
  AttemptEnd Undo(ActionContext& ctx) const override { return TurnTo(ctx, Direction::undo); }

  AttemptEnd Probe(ActionContext& ctx) const override {
    const auto step = BindReleaseStep(ctx, ctx.task.action().switch_().app());
    if (!step.ok()) return FromStatus(step.status());
    const auto current = ctx.releases.CurrentDigest(step->app);
    if (!current.ok()) return FromStatus(current.status());
    if (*current == Target(ctx, *step)) return Succeeded("current names the wanted release");
    return {Verdict::not_applied, absl::StrCat("current names ", Named(*current))};
  }

 private:
  static std::string Named(const std::string& digest) {
    return digest.empty() ? "nothing" : digest;
  }

  static AttemptEnd TurnTo(ActionContext& ctx, Direction direction) {
    const auto step = BindReleaseStep(ctx, ctx.task.action().switch_().app());
    if (!step.ok()) return FromStatus(step.status());
    const std::string target = direction == Direction::apply ? step->digest : ctx.previous;
    const auto current = ctx.releases.CurrentDigest(step->app);
    if (!current.ok()) return FromStatus(current.status());
    if (*current == target)
      return Succeeded(absl::StrCat("current names ", Named(target), " already"));
    if (!target.empty()) {
      const absl::Status whole = ctx.releases.VerifyTree(step->app, target);
      if (!whole.ok()) return FromStatus(whole);
    }
    const absl::Status turned = ctx.releases.SwitchTo(step->app, target);
    if (!turned.ok()) return FromStatus(turned);
    return Succeeded(absl::StrCat(step->app, "/current names ", Named(target), " now"));
  }
};

}  // namespace

std::unique_ptr<Action> MakeSwitch() {
  return std::make_unique<Switch>();
}

}  // namespace slipway::agent
