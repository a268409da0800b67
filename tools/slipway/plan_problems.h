// What the controller says about a plan, as `plan validate` would say it here.
#pragma once

#include <string>
#include <vector>

#include "common/plan/problem.h"

namespace slipway::cli {

// From serialized v1::PlanProblems; "" when there is nothing readable in it.
std::string RenderPlanProblems(const std::string& bytes);

// The same message as JSON, for problems that were found here.
std::string ProblemsJson(const std::vector<plan::Problem>& problems);

}  // namespace slipway::cli
