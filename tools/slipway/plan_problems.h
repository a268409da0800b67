// Plan files, and what is wrong with them, found here or by the controller: said alike.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/plan/plan_file.h"
#include "common/plan/problem.h"

namespace slipway::cli {

// From serialized v1::PlanProblems; "" when there is nothing readable in it.
std::string RenderPlanProblems(const std::string& bytes);

// INVALID_ARGUMENT, with `problems` as Fail() shows them.
absl::Status UnsoundPlan(const std::string& path, const std::vector<plan::Problem>& problems);

// The plan of a file that a person named. Errors: NOT_FOUND.
absl::StatusOr<plan::LoadedPlan> LoadPlanFile(const std::string& path);
// The same, of a plan without errors. INVALID_ARGUMENT: what is wrong, as Fail() shows it.
absl::StatusOr<plan::LoadedPlan> LoadSoundPlan(const std::string& path);

// The same message as JSON, for problems that were found here.
std::string ProblemsJson(const std::vector<plan::Problem>& problems);

}  // namespace slipway::cli
