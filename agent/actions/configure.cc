// Renders a template of the staged release into a configuration file.
//
// Already done: the file has the rendered bytes, owner, group and mode. What stood there before the
// rollout's first write is recorded, durably, before that write; Undo puts exactly that back, or
// removes the file where there was none. The template is that of the release being rolled out,
// which need not be live yet.
#include "absl/strings/str_cat.h"
#include "agent/actions/action_table.h"
#include "agent/actions/config_file.h"
#include "agent/actions/release_step.h"
#include "agent/releases/host_releases.h"
#include "common/fs/directory.h"
#include "common/status_macros.h"
#include "common/template.h"
#include "slipway/v1/action.pb.h"

namespace slipway::agent {
namespace {

constexpr std::uint64_t kTemplateBytesMax = 1 << 20;

struct Target {
  ReleaseStep step;
  ConfigPath path;
};

absl::StatusOr<Target> Bind(const ActionContext& ctx) {
  const v1::Configure& configure = ctx.task.action().configure();
  Target target;
  SLIPWAY_ASSIGN_OR_RETURN(target.step, BindReleaseStep(ctx, configure.app()));
  SLIPWAY_ASSIGN_OR_RETURN(const std::string to, Render(configure.to(), target.step.vars));
  SLIPWAY_ASSIGN_OR_RETURN(target.path, ResolveConfigPath(target.step.app, to));
  return target;
}

// Resolved below the application's directory: a link planted there while the step runs leads
// nowhere.
absl::StatusOr<Directory> OpenRelease(const ActionContext& ctx, const ReleaseStep& step) {
  SLIPWAY_ASSIGN_OR_RETURN(const std::string folder,
                           ctx.releases.ReleaseDir(step.app, step.digest));
  SLIPWAY_ASSIGN_OR_RETURN(const Directory root, Directory::Open(step.app));
  return root.Below(folder.substr(step.app.size() + 1));
}

// The file as the release wants it.
absl::StatusOr<FileState> Wanted(const ActionContext& ctx, const Target& target) {
  const v1::Configure& configure = ctx.task.action().configure();
  SLIPWAY_ASSIGN_OR_RETURN(const Directory release, OpenRelease(ctx, target.step));
  SLIPWAY_ASSIGN_OR_RETURN(const std::string text,
                           release.Read(configure.from(), kTemplateBytesMax));
  const auto rendered = Render(text, target.step.vars);
  if (!rendered.ok()) {
    return absl::Status(rendered.status().code(),
                        absl::StrCat(configure.from(), ":", rendered.status().message()));
  }
  SLIPWAY_ASSIGN_OR_RETURN(const Ownership own, ParseOwner(configure.owner()));
  SLIPWAY_ASSIGN_OR_RETURN(const std::uint32_t mode, ParseMode(configure.mode()));
  return FileState{true, *rendered, own.owner, own.group, mode};
}

absl::StatusOr<std::string> Write(ActionContext& ctx) {
  SLIPWAY_ASSIGN_OR_RETURN(const Target target, Bind(ctx));
  SLIPWAY_ASSIGN_OR_RETURN(const FileState wanted, Wanted(ctx, target));
  SLIPWAY_ASSIGN_OR_RETURN(const FileState found, ReadConfig(target.path));
  const std::string& app = target.step.app;
  const std::string path = target.path.Full();
  SLIPWAY_RETURN_IF_ERROR(ctx.releases.RememberBefore(app, ctx.id.rollout.text, path, found));
  if (found != wanted) SLIPWAY_RETURN_IF_ERROR(WriteConfig(target.path, wanted));
  SLIPWAY_RETURN_IF_ERROR(ctx.releases.RecordRendered(app, target.step.digest, path, wanted));
  return absl::StrCat(path, ": ", DescribeChange(found, wanted));
}

// nullopt: the rollout never wrote there.
absl::StatusOr<std::optional<FileState>> Before(const ActionContext& ctx, const Target& target) {
  const auto before = ctx.releases.Before(target.step.app, ctx.id.rollout.text, target.path.Full());
  if (absl::IsNotFound(before.status())) return std::optional<FileState>();
  SLIPWAY_RETURN_IF_ERROR(before.status());
  return std::optional<FileState>(*before);
}

absl::StatusOr<std::string> PutBack(ActionContext& ctx) {
  SLIPWAY_ASSIGN_OR_RETURN(const Target target, Bind(ctx));
  SLIPWAY_ASSIGN_OR_RETURN(const std::optional<FileState> before, Before(ctx, target));
  const std::string path = target.path.Full();
  if (!before) return absl::StrCat(path, " was not written by this rollout");
  SLIPWAY_ASSIGN_OR_RETURN(const FileState found, ReadConfig(target.path));
  if (found == *before) return absl::StrCat(path, " is as it was before");
  SLIPWAY_RETURN_IF_ERROR(WriteConfig(target.path, *before));
  return absl::StrCat(path, before->exists ? " was put back" : " was removed");
}

// Whether the file is what the attempt was to leave. Writing is atomic: anything else is no effect.
absl::StatusOr<bool> IsDone(const ActionContext& ctx) {
  SLIPWAY_ASSIGN_OR_RETURN(const Target target, Bind(ctx));
  SLIPWAY_ASSIGN_OR_RETURN(const FileState found, ReadConfig(target.path));
  if (ctx.direction == Direction::undo) {
    SLIPWAY_ASSIGN_OR_RETURN(const std::optional<FileState> before, Before(ctx, target));
    return !before || found == *before;
  }
  SLIPWAY_ASSIGN_OR_RETURN(const FileState wanted, Wanted(ctx, target));
  return found == wanted;
}

AttemptEnd End(const absl::StatusOr<std::string>& done) {
  return done.ok() ? Succeeded(*done) : FromStatus(done.status());
}

class Configure final : public Action {
 public:
  std::string_view Name() const override { return "configure"; }
  AttemptEnd Apply(ActionContext& ctx) const override { return End(Write(ctx)); }
  AttemptEnd Undo(ActionContext& ctx) const override { return End(PutBack(ctx)); }
  AttemptEnd Probe(ActionContext& ctx) const override {
    const auto done = IsDone(ctx);
    if (!done.ok()) return FromStatus(done.status());
    if (*done) return Succeeded("the file is as wanted");
    return {Verdict::not_applied, "the file is not as wanted"};
  }
};

}  // namespace

std::unique_ptr<Action> MakeConfigure() {
  return std::make_unique<Configure>();
}

}  // namespace slipway::agent
