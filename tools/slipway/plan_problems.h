// What the controller says about a plan, as `plan validate` would say it here.
#pragma once

#include <string>

namespace slipway::cli {

// From serialized v1::PlanProblems; "" when there is nothing readable in it.
std::string RenderPlanProblems(const std::string& bytes);

}  // namespace slipway::cli
