// What a plan may say, without knowing release or fleet. Pure.
#pragma once

#include <vector>

#include "common/plan/problem.h"
#include "common/plan/source_map.h"

namespace slipway::v1 {
class Plan;
}

namespace slipway::plan {

// Errors and warnings that binding could not see. Nothing is said about what is missing or was
// refused by the binder, so it may run on a plan that has problems already.
std::vector<Problem> CheckPlan(const v1::Plan& plan, const SourceMap& source);

}  // namespace slipway::plan
