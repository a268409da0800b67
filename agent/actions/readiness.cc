// The gate before the first disruptive step: what a rollback would go back to is here, whole, and
// ran healthily on this host; what is to go live is here and whole; and there is room. Nothing is a
// way back too. Changes nothing.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/actions/action_table.h"
#include "agent/actions/binding.h"
#include "agent/health/host_room.h"
#include "agent/releases/host_releases.h"
#include "common/status_macros.h"
#include "slipway/v1/action.pb.h"

namespace slipway::agent {
namespace {

// The way back was computed from what the controller knew of this host. A rollback to anything
// else would be a guess, so that a host that was never asked, or was changed since, is refused.
absl::Status MatchesPlan(const ActionContext& ctx, const std::string& app,
                         const std::string& live) {
  SLIPWAY_ASSIGN_OR_RETURN(const std::string planned_app, AppOf(ctx, ""));
  if (app != planned_app || live == ctx.previous || live == ctx.task.release().digest()) {
    return absl::OkStatus();
  }
  const auto name = [](const std::string& digest) { return digest.empty() ? "nothing" : digest; };
  return absl::FailedPreconditionError(
      absl::StrCat(app, "/current names ", name(live), ", and the rollout was planned from ",
                   name(ctx.previous), "; start the rollout again, it will look anew"));
}

// Says what the way back of an app is.
absl::StatusOr<std::string> WayBack(const ActionContext& ctx, const std::string& app) {
  SLIPWAY_ASSIGN_OR_RETURN(const std::string live, ctx.releases.CurrentDigest(app));
  SLIPWAY_RETURN_IF_ERROR(MatchesPlan(ctx, app, live));
  if (live.empty()) return absl::StrCat(app, ": nothing is deployed, the way back is to nothing");
  SLIPWAY_RETURN_IF_ERROR(ctx.releases.VerifyTree(app, live));
  SLIPWAY_ASSIGN_OR_RETURN(const BoundRelease release, BindDigest(ctx, app, live));
  const std::string& version = release.release->version();
  if (ctx.releases.RanHealthily(app, live)) {
    return absl::StrCat(app, ": ", version, " is whole and ran healthily here");
  }
  const std::string unproven =
      absl::StrCat(app, ": ", version, " is whole, but never proved to run healthily here");
  if (live == ctx.task.release().digest()) {
    return absl::StrCat(unproven, "; it is what the rollout brings, and nothing else is lost");
  }
  const auto& accepted = ctx.task.action().readiness().accept_unproven();
  if (std::find(accepted.begin(), accepted.end(), version) != accepted.end() ||
      std::find(accepted.begin(), accepted.end(), live) != accepted.end()) {
    return absl::StrCat(unproven, "; it was accepted by name");
  }
  return absl::FailedPreconditionError(
      absl::StrCat(unproven, ", and a rollback would go back to it; deploy with --accept-unproven ",
                   version, " if it may"));
}

absl::StatusOr<std::string> Gate(const ActionContext& ctx) {
  const v1::Readiness& readiness = ctx.task.action().readiness();
  std::vector<std::string> findings;
  for (const std::string& text : readiness.apps()) {
    SLIPWAY_ASSIGN_OR_RETURN(const std::string app, AppOf(ctx, text));
    SLIPWAY_ASSIGN_OR_RETURN(findings.emplace_back(), WayBack(ctx, app));
    SLIPWAY_RETURN_IF_ERROR(ProveDiskFree(app, readiness.disk_free()));
    const auto& staged = readiness.staged();
    if (std::find(staged.begin(), staged.end(), text) == staged.end()) continue;
    SLIPWAY_RETURN_IF_ERROR(ctx.releases.VerifyTree(app, ctx.task.release().digest()));
  }
  return absl::StrJoin(findings, "; ");
}

AttemptEnd Look(const ActionContext& ctx) {
  auto findings = Gate(ctx);
  return findings.ok() ? Succeeded(*std::move(findings)) : FromStatus(findings.status());
}

class Readiness final : public Action {
 public:
  std::string_view Name() const override { return "readiness"; }
  AttemptEnd Apply(ActionContext& ctx) const override { return Look(ctx); }
  AttemptEnd Undo(ActionContext&) const override { return Succeeded(); }
  AttemptEnd Probe(ActionContext& ctx) const override {
    return ctx.direction == Direction::undo ? Succeeded() : Look(ctx);
  }
};

}  // namespace

std::unique_ptr<Action> MakeReadiness() {
  return std::make_unique<Readiness>();
}

}  // namespace slipway::agent
