// Names of a plan's steps: the same in messages, previews and schedules.
#pragma once

#include <string>
#include <vector>

namespace slipway::v1 {
class Action;
class Plan;
class PlanPhase;
class PlanStep;
}  // namespace slipway::v1

namespace slipway::plan {

// The key of the step: "stop", "wait"; "" when it has none.
std::string ActionKey(const v1::PlanStep& step);
std::string ActionKey(const v1::Action& action);

// One name for each step, unique in the phase: what the plan says, else made of the action and
// what it is about ("stop media"), with a number where that repeats.
std::vector<std::string> StepNames(const v1::PlanPhase& phase);

// Whether any of its steps migrates a database.
bool Migrates(const v1::Plan& plan);

}  // namespace slipway::plan
