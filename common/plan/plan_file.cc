#include "common/plan/plan_file.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "common/artifact/digest.h"
#include "common/plan/plan_check.h"
#include "common/plan/strict_yaml.h"
#include "common/plan/yaml_binder.h"
#include "slipway/v1/plan.pb.h"

namespace slipway::plan {
namespace {

bool SamePlace(const Problem& a, const Problem& b) {
  return std::tie(a.line, a.column) == std::tie(b.line, b.column);
}

// One thing wrong is said once: what the binder refused needs no second opinion, and a warning
// about what is absent may only mean that it could not be read.
void Merge(std::vector<Problem> found, std::vector<Problem>& problems) {
  const std::vector<Problem> bound = problems;
  for (Problem& problem : found) {
    if (HasErrors(bound) && problem.severity == Problem::Severity::warning) continue;
    const bool known = std::any_of(bound.begin(), bound.end(),
                                   [&](const Problem& b) { return SamePlace(b, problem); });
    if (!known) problems.push_back(std::move(problem));
  }
  // Of too many those stay that refuse the plan.
  if (problems.size() > kProblemsMax) {
    std::stable_partition(problems.begin(), problems.end(), [](const Problem& problem) {
      return problem.severity == Problem::Severity::error;
    });
    problems.erase(problems.begin() + kProblemsMax, problems.end());
  }
  SortByPlace(problems);
}

}  // namespace

LoadedPlan LoadPlan(std::string path, std::string_view bytes) {
  const auto plan = std::make_shared<v1::Plan>();
  Bound bound = BindYaml(std::move(path), bytes, *plan);
  LoadedPlan loaded{plan, std::move(bound.problems), Digest::Of(bytes).ToString(),
                    std::move(bound.source)};
  // Without a tree every further word would be about the same mistake.
  if (bound.bound) Merge(CheckPlan(*plan, loaded.source), loaded.problems);
  return loaded;
}

}  // namespace slipway::plan
