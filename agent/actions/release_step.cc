#include "agent/actions/release_step.h"

#include "absl/strings/str_cat.h"
#include "agent/releases/host_releases.h"
#include "common/status_macros.h"
#include "common/template.h"
#include "slipway/v1/action.pb.h"

namespace slipway::agent {

absl::StatusOr<std::string> AppOf(const ActionContext& ctx, const std::string& app) {
  const std::string& text = app.empty() ? ctx.task.app() : app;
  if (text.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("step ", ctx.task.step(), " names no app; add `app:` to it"));
  }
  return Render(text, ctx.vars);
}

absl::StatusOr<ReleaseStep> BindReleaseStep(const ActionContext& ctx, const std::string& app) {
  ReleaseStep step;
  SLIPWAY_ASSIGN_OR_RETURN(step.app, AppOf(ctx, app));
  const bool old = ctx.direction == Direction::previous;
  step.digest = old ? ctx.previous : ctx.task.release().digest();
  step.vars = WithAppVars(ctx.vars, step.app);
  if (old) return step;
  step.vars["release.name"] = ctx.task.release().name();
  step.vars["release.version"] = ctx.task.release().version();
  step.vars["release.digest"] = step.digest;
  return step;
}

}  // namespace slipway::agent
