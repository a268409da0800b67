#include "common/plan/filled_in.h"

#include "common/plan/plan_defaults.h"
#include "common/plan/plan_step.h"
#include "slipway/v1/plan.pb.h"

namespace slipway::plan {
namespace {

void Set(google::protobuf::Duration& to, absl::Duration from) {
  to.set_seconds(absl::ToInt64Seconds(from));
  to.set_nanos(static_cast<std::int32_t>(absl::ToInt64Nanoseconds(from % absl::Seconds(1))));
}

// The keys that `over` has, over those of `under`.
v1::Strategy Over(const v1::Strategy& over, v1::Strategy under) {
  // Merging appends lists; a ramp replaces the other.
  if (over.batch_size() > 0) under.clear_batch();
  if (over.canary().has_hosts()) under.mutable_canary()->clear_hosts();
  if (over.has_max_failed()) under.clear_max_failed();
  // A merge skips what is zero, so messages that may hold a zero are replaced whole.
  if (over.has_bake()) under.clear_bake();
  if (over.canary().has_bake()) under.mutable_canary()->clear_bake();
  if (over.has_unreachable()) under.clear_unreachable();
  under.MergeFrom(over);
  return under;
}

v1::Strategy DefaultStrategy() {
  v1::Strategy strategy;
  strategy.mutable_canary()->mutable_hosts()->set_count(kCanaryHosts);
  Set(*strategy.mutable_canary()->mutable_bake(), kCanaryBake);
  strategy.add_batch()->set_percent(kBatchPercent);
  Set(*strategy.mutable_bake(), kBake);
  strategy.mutable_max_failed()->set_count(kMaxFailed);
  strategy.mutable_unreachable()->set_choice(v1::UnreachableChoice::FAIL);
  return strategy;
}

void FillIn(v1::PlanApprove& approve) {
  if (!approve.has_within()) Set(*approve.mutable_within(), kApprovalWithin);
  if (approve.people() == 0) approve.set_people(1);
}

void FillIn(v1::PlanPhase& phase, const v1::Strategy& whole) {
  if (phase.has_approve()) FillIn(*phase.mutable_approve());
  if (!phase.hosts().empty()) {
    *phase.mutable_strategy() = Over(phase.strategy(), whole);
  }
  const v1::UnreachableChoice unreachable =
      phase.hosts().empty() ? whole.unreachable() : phase.strategy().unreachable();
  const std::vector<std::string> names = StepNames(phase);
  for (int i = 0; i < phase.steps_size(); ++i) {
    v1::StepOptions& options = *phase.mutable_steps(i)->mutable_options();
    options.set_name(names[static_cast<std::size_t>(i)]);
    if (phase.steps(i).has_approve()) FillIn(*phase.mutable_steps(i)->mutable_approve());
    if (!options.has_timeout()) Set(*options.mutable_timeout(), kTimeout);
    if (!options.has_deadline()) Set(*options.mutable_deadline(), kDeadline);
    if (!options.has_unreachable()) *options.mutable_unreachable() = unreachable;
  }
}

void FillIn(v1::PlanRollback& rollback, bool migrates) {
  if (!rollback.has_database()) {
    rollback.set_database(migrates ? v1::PlanRollback::DOWN : v1::PlanRollback::KEEP);
  }
  if (!rollback.has_triggers()) {
    for (const auto trigger : {v1::PlanRollback::STEP_FAILED, v1::PlanRollback::CHECK_FAILED,
                               v1::PlanRollback::MANUAL}) {
      rollback.mutable_triggers()->add_triggers(trigger);
    }
  }
  if (!rollback.has_verify()) rollback.mutable_verify()->add_verify(v1::PlanRollback::CHECK);
  if (rollback.strategy().batch().empty()) {
    rollback.mutable_strategy()->add_batch()->set_percent(100);
  }
  if (!rollback.has_within()) Set(*rollback.mutable_within(), kRollbackWithin);
}

}  // namespace

v1::Plan FilledIn(v1::Plan plan) {
  *plan.mutable_strategy() = Over(plan.strategy(), DefaultStrategy());
  for (v1::PlanPhase& phase : *plan.mutable_phases()) FillIn(phase, plan.strategy());
  FillIn(*plan.mutable_rollback(), Migrates(plan));
  return plan;
}

}  // namespace slipway::plan
