// Runs a hook of the release: exit 0 succeeded, 75 try again later, else failed.
//
// A command runs its hook once, whatever crashes; a second call waits for the first run or repeats
// its result. Undo runs the hook that `undo:` of the release names.
#include "absl/strings/str_cat.h"
#include "agent/actions/action_table.h"
#include "agent/actions/binding.h"
#include "agent/actions/hook_order.h"
#include "agent/actions/service_steps.h"
#include "common/status_macros.h"
#include "slipway/v1/action.pb.h"

namespace slipway::agent {
namespace {

constexpr int kTryLater = 75;

struct Chosen {
  BoundRelease release;
  std::string path;  // "" = there is nothing to run: `why`
  std::string why = {};
  bool idempotent = false;
};

const v1::Hook* Find(const v1::Release& release, const std::string& path) {
  for (const v1::Hook& hook : release.hooks()) {
    if (hook.path() == path) return &hook;
  }
  return nullptr;
}

// The hook itself, or the one that undoes it.
absl::StatusOr<Chosen> Choose(const ActionContext& ctx) {
  const v1::Run& run = ctx.task.action().run();
  std::string app;
  if (!run.app().empty() || !ctx.task.app().empty()) {
    SLIPWAY_ASSIGN_OR_RETURN(app, AppOf(ctx, run.app()));
  }
  SLIPWAY_ASSIGN_OR_RETURN(const std::optional<BoundRelease> release, Bind(ctx, app));
  if (!release) return Chosen{{}, "", "nothing was deployed before"};
  const v1::Hook* hook = Find(*release->release, run.hook());
  if (hook == nullptr) {
    return absl::NotFoundError(absl::StrCat("release ", release->release->name(), " ",
                                            release->release->version(), " declares no hook ",
                                            run.hook()));
  }
  if (ctx.direction != Direction::undo)
    return Chosen{*release, hook->path(), "", hook->idempotent()};
  if (hook->undo() == "not_needed") return Chosen{*release, "", run.hook() + " needs no undo"};
  if (hook->undo().empty() || hook->undo() == "impossible") {
    return absl::FailedPreconditionError(
        absl::StrCat("what ", run.hook(), " did cannot be undone; its release says so"));
  }
  const v1::Hook* undo = Find(*release->release, hook->undo());
  return Chosen{*release, hook->undo(), "", undo != nullptr && undo->idempotent()};
}

AttemptEnd EndOf(const Chosen& hook, const absl::StatusOr<HookEnd>& end) {
  if (absl::IsUnknown(end.status())) {
    return {Verdict::unknown, std::string(end.status().message())};
  }
  if (!end.ok()) return FromStatus(end.status());
  std::string text = absl::StrCat(hook.path, " ", Describe(end->exit));
  if (end->exit.signal != 0) return Failed(std::move(text));
  if (end->exit.code == kTryLater) return {Verdict::try_later, text + ": try later"};
  if (end->exit.code != 0) return Failed(std::move(text));
  for (const auto& [key, value] : end->outputs) absl::StrAppend(&text, ", ", key, "=", value);
  return Succeeded(std::move(text));
}

class Run final : public Action {
 public:
  std::string_view Name() const override { return "run"; }
  AttemptEnd Apply(ActionContext& ctx) const override { return Carry(ctx, &HookRunner::Run); }
  AttemptEnd Undo(ActionContext& ctx) const override { return Carry(ctx, &HookRunner::Run); }

  AttemptEnd Probe(ActionContext& ctx) const override { return Carry(ctx, &HookRunner::Adopt); }

 private:
  using Way = absl::StatusOr<HookEnd> (HookRunner::*)(const HookOrder&, OutputSpool&,
                                                      const HookWatch&);

  static AttemptEnd Carry(ActionContext& ctx, Way way) {
    const auto hook = Choose(ctx);
    if (!hook.ok()) return FromStatus(hook.status());
    if (hook->path.empty()) return Succeeded(hook->why);
    const auto& given = ctx.task.action().run().args();
    const auto order = OrderOf(ctx, hook->release, hook->path, {given.begin(), given.end()});
    if (!order.ok()) return FromStatus(order.status());
    ctx.progress("run " + hook->path, 0, 0);
    const auto end = (ctx.hooks.*way)(*order, ctx.output, WatchOf(ctx));
    if (way == &HookRunner::Adopt) {
      const bool lost = absl::IsUnknown(end.status()) && hook->idempotent;
      if (absl::IsFailedPrecondition(end.status()) || lost) {
        return {Verdict::not_applied, absl::StrCat(hook->path, " may be run again")};
      }
    }
    return BlameDeadService(ctx, hook->release.app, EndOf(*hook, end));
  }
};

}  // namespace

std::unique_ptr<Action> MakeRun() {
  return std::make_unique<Run>();
}

}  // namespace slipway::agent
