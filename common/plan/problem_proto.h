// Problems on the wire.
#pragma once

#include <vector>

#include "common/plan/problem.h"

namespace slipway::v1 {
class PlanProblem;
class PlanProblems;
}  // namespace slipway::v1

namespace slipway::plan {

v1::PlanProblem ToProto(const Problem& problem);
Problem FromProto(const v1::PlanProblem& problem);

// What goes into the details of an INVALID_ARGUMENT status.
v1::PlanProblems ToProto(const std::vector<Problem>& problems);
std::vector<Problem> FromProto(const v1::PlanProblems& problems);

}  // namespace slipway::plan
