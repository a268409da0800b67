#include "agent/actions/hook_order.h"

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "agent/releases/host_releases.h"
#include "common/status_macros.h"
#include "common/template.h"
#include "slipway/v1/action.pb.h"

namespace slipway::agent {
namespace {

// "" when nothing was here, or nobody knows any more what it was called.
std::string PreviousVersion(const ActionContext& ctx, const std::string& app) {
  if (ctx.previous.empty() || app.empty()) return "";
  const auto release = ctx.releases.ReleaseOf(app, ctx.previous);
  return release.ok() ? release->version() : "";
}

}  // namespace

absl::StatusOr<HookOrder> OrderOf(ActionContext& ctx, const BoundRelease& release,
                                  const std::string& path, const std::vector<std::string>& args) {
  SLIPWAY_ASSIGN_OR_RETURN(const std::string program,
                           ctx.releases.CachedFile(release.digest, path, ctx.content));
  HookOrder order{.id = ctx.id,
                  .argv = {program},
                  .cwd = std::filesystem::path(program).parent_path().string(),
                  .deadline = ctx.deadline};
  for (const std::string& arg : args) {
    SLIPWAY_ASSIGN_OR_RETURN(order.argv.emplace_back(), Render(arg, release.vars));
  }
  const auto set = [&](absl::string_view name, absl::string_view value) {
    order.env.push_back(absl::StrCat("SLIPWAY_", name, "=", value));
  };
  set("ROLLOUT", ctx.id.rollout.text);
  set("SERVICE", release.release->name());
  set("ENVIRONMENT", ctx.task.environment());
  set("VERSION", release.release->version());
  set("PREVIOUS_VERSION", PreviousVersion(ctx, release.app));
  set("HOST", ctx.id.host.text);
  set("PHASE", ctx.task.phase());
  set("BATCH", absl::StrCat(ctx.id.batch));
  set("ATTEMPT", absl::StrCat(ctx.id.attempt));
  if (const auto port = release.vars.find("port"); port != release.vars.end()) {
    set("PORT", port->second);
  }
  if (release.app.empty()) return order;
  const auto dir = ctx.releases.ReleaseDir(release.app, release.digest);
  set("RELEASE_DIR", dir.ok() ? *dir : "");
  set("CURRENT_DIR", release.app + "/current");
  set("SHARED_DIR", release.app + "/shared");
  return order;
}

HookWatch WatchOf(const ActionContext& ctx) {
  return {.stopping = ctx.stopping, .cancelled = ctx.cancelled};
}

}  // namespace slipway::agent
