#include "controller/planner/action_traits.h"

#include "common/plan/plan_defaults.h"
#include "controller/planner/durations.h"

namespace slipway::controller {
namespace {

using engine::Sweep;
using engine::Traits;
using engine::Undo;

// One row for each action: a new one is added here first.
Traits RowOf(v1::Action::KindCase kind) {
  switch (kind) {
    //                                  undo             sweep            disruptive  probe decides
    case v1::Action::kPreflight:
      return {Undo::not_needed, Sweep::undo, false, true};
    case v1::Action::kReadiness:
      return {Undo::not_needed, Sweep::undo, false, true};
    case v1::Action::kStage:
      return {Undo::built_in, Sweep::undo, false, true};
    case v1::Action::kStop:
      return {Undo::built_in, Sweep::resume, true, true};
    case v1::Action::kConfigure:
      return {Undo::built_in, Sweep::undo, true, true};
    case v1::Action::kSwitch:
      return {Undo::built_in, Sweep::undo, true, true};
    case v1::Action::kStart:
      return {Undo::built_in, Sweep::quiesce, true, true};
    case v1::Action::kCheck:
      return {Undo::not_needed, Sweep::undo, false, true, true};
    case v1::Action::kBake:
      return {Undo::not_needed, Sweep::undo, false, true, true};
    case v1::Action::kRun:
      return {Undo::built_in, Sweep::undo, false, false};
    case v1::Action::kBackup:
      return {Undo::not_needed, Sweep::undo, false, true};
    // Whether a host that fell silent migrated, only a person can find out.
    case v1::Action::kMigrate:
      return {Undo::built_in, Sweep::restore, true, false};
    case v1::Action::kNoop:
      return {Undo::not_needed, Sweep::undo, false, true};
    case v1::Action::kClearCache:
    case v1::Action::kLoad:
    case v1::Action::kCompare:
    case v1::Action::kSecure:
    case v1::Action::KIND_NOT_SET:
      break;
  }
  // Refused by name long before; if one came through, it must not look harmless.
  return {Undo::impossible, Sweep::undo, true, false};
}

engine::Unreachable ChoiceOf(const v1::UnreachableChoice& choice) {
  switch (choice.choice()) {
    case v1::UnreachableChoice::WAIT:
      return engine::Unreachable::wait;
    case v1::UnreachableChoice::SKIP:
      return engine::Unreachable::skip;
    default:
      return engine::Unreachable::fail;
  }
}

}  // namespace

Traits TraitsOf(const v1::Action& action, const v1::StepOptions& options) {
  Traits traits = RowOf(action.kind_case());
  traits.on_rollback = options.on_rollback();
  traits.retries = static_cast<int>(options.retries());
  traits.timeout = options.has_timeout() ? DurationOf(options.timeout()) : plan::kTimeout;
  traits.deadline = options.has_deadline() ? DurationOf(options.deadline()) : plan::kDeadline;
  traits.unreachable = ChoiceOf(options.unreachable());
  return traits;
}

}  // namespace slipway::controller
