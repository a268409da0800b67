#include <vector>

#include "absl/strings/str_cat.h"
#include "common/plan/check_parts.h"
#include "common/plan/plan_step.h"
#include "slipway/v1/plan.pb.h"

namespace slipway::plan {
namespace {

using Shares = google::protobuf::RepeatedPtrField<v1::Share>;

std::string Text(const v1::Share& share) {
  return share.percent() > 0 ? absl::StrCat(share.percent(), "%") : absl::StrCat(share.count());
}

bool IsZero(const v1::Share& share) {
  return share.count() == 0 && share.percent() == 0;
}

bool IsZero(const google::protobuf::Duration& duration) {
  return duration.seconds() == 0 && duration.nanos() == 0;
}

void CheckRamp(Check& check, const Shares& ramp, const std::string& path) {
  if (ramp.empty() && check.source.Has(path)) {
    check.AtValue(path, kBadShare, {"`batch` is empty", "no batch at all", "write `batch: 25%`"});
  }
  for (int i = 0; i < ramp.size(); ++i) {
    const std::string here =
        check.source.Has(absl::StrCat(path, "[", i, "]")) ? absl::StrCat(path, "[", i, "]") : path;
    if (IsZero(ramp[i])) {
      check.AtValue(here, kBadShare, {"a batch of no hosts", "at least 1"});
    }
    if (i == 0 || (ramp[i].percent() > 0) != (ramp[i - 1].percent() > 0)) continue;
    if (ramp[i].percent() < ramp[i - 1].percent() || ramp[i].count() < ramp[i - 1].count()) {
      check.AtValue(here, kShrinkingRamp,
                    {absl::StrCat("the ramp falls from ", Text(ramp[i - 1]), " to ", Text(ramp[i])),
                     "smaller than the batch before",
                     "batches grow as confidence does; the last entry repeats"});
    }
  }
}

// What is on by default and was switched off, and where.
struct Off {
  std::string what, at;
};

void CheckReason(Check& check, const std::string& path, const std::vector<Off>& offs,
                 const std::string& because) {
  if (offs.empty() && !because.empty()) {
    check.AtKey(path + ".because", kUnusedReason,
                {"`because` gives a reason, but nothing is switched off", "may be removed"});
  }
  if (!because.empty()) return;
  for (const Off& off : offs) {
    check.AtValue(off.at, kNoReason,
                  {absl::StrCat(off.what, " without a reason"), "switched off here",
                   "add `because: …`; it appears in the evidence"});
  }
}

bool Triggers(const v1::PlanRollback& rollback, v1::PlanRollback::Trigger wanted) {
  for (const int trigger : rollback.triggers().triggers()) {
    if (trigger == wanted) return true;
  }
  return false;
}

void CheckTriggers(Check& check) {
  const v1::PlanRollback& rollback = check.plan.rollback();
  const auto& triggers = rollback.triggers().triggers();
  for (int i = 0; i < triggers.size(); ++i) {
    for (int j = 0; j < i; ++j) {
      if (triggers[i] != triggers[j]) continue;
      check.AtValue(absl::StrCat("rollback.triggers[", i, "]"), kBadRollback,
                    {"a trigger is named twice", "may be removed"});
    }
  }
}

bool HasRollbackCheck(const v1::Plan& plan) {
  for (const v1::PlanPhase& phase : plan.phases()) {
    for (const v1::PlanStep& step : phase.steps()) {
      if (step.action().has_check() && step.options().on_rollback()) return true;
    }
  }
  return false;
}

bool Changes(const v1::Plan& plan) {
  for (const v1::PlanPhase& phase : plan.phases()) {
    for (const v1::PlanStep& step : phase.steps()) {
      const v1::Action& action = step.action();
      if (action.has_switch_() || action.has_start()) return true;
    }
  }
  return false;
}

}  // namespace

void CheckStrategy(Check& check, const v1::Strategy& strategy, const std::string& path) {
  CheckRamp(check, strategy.batch(), path + ".batch");
  const v1::PlanCanary& canary = strategy.canary();
  std::vector<Off> offs;
  if (strategy.has_bake() && IsZero(strategy.bake())) offs.push_back({"no bake", path + ".bake"});
  if (canary.has_bake() && IsZero(canary.bake())) {
    offs.push_back({"no bake of the canary", path + ".canary.bake"});
  }
  CheckReason(check, path, offs, strategy.because());
  if (strategy.max_failed().percent() == 100) {
    check.AtValue(
        path + ".max_failed", kGenerousBudget,
        {"every host of the phase may fail", "a rollout that cannot fail proves nothing"});
  }
}

void CheckRollback(Check& check) {
  const v1::PlanRollback& rollback = check.plan.rollback();
  CheckTriggers(check);
  CheckRamp(check, rollback.strategy().batch(), "rollback.strategy.batch");
  std::vector<Off> offs;
  if (rollback.has_triggers() && (!Triggers(rollback, v1::PlanRollback::STEP_FAILED) ||
                                  !Triggers(rollback, v1::PlanRollback::CHECK_FAILED))) {
    offs.push_back({"no automatic rollback when a step or check fails", "rollback.triggers"});
  }
  if (rollback.has_database() && rollback.database() == v1::PlanRollback::KEEP &&
      Migrates(check.plan)) {
    offs.push_back({"migrations that a rollback does not take back", "rollback.database"});
  }
  const bool unproved = rollback.has_verify() && rollback.verify().verify().empty();
  if (unproved) offs.push_back({"no proof of a rollback", "rollback.verify"});
  CheckReason(check, "rollback", offs, rollback.because());
  if (rollback.has_within() && IsZero(rollback.within())) {
    check.AtValue("rollback.within", kBadRollback,
                  {"a rollback within no time", "needs time", "write `within: 30m`"});
  }
  if (!unproved && Changes(check.plan) && !HasRollbackCheck(check.plan)) {
    check.AtKey(check.source.Has("rollback") ? "rollback" : "phases", kNotChecked,
                {"nothing proves the old release after a rollback", "no check is marked",
                 "mark a check with `on_rollback: true`"});
  }
}

}  // namespace slipway::plan
