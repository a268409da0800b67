#include "common/plan/problem.h"

#include <algorithm>
#include <map>
#include <utility>

namespace slipway::plan {

bool HasErrors(const std::vector<Problem>& problems) {
  return std::any_of(problems.begin(), problems.end(),
                     [](const Problem& p) { return p.severity == Problem::Severity::error; });
}

void SortByPlace(std::vector<Problem>& problems) {
  std::multimap<std::pair<std::uint32_t, std::uint32_t>, Problem> sorted;
  for (Problem& problem : problems) {
    const std::pair place(problem.line, problem.column);
    sorted.emplace(place, std::move(problem));
  }
  problems.clear();
  for (auto& [place, problem] : sorted) problems.push_back(std::move(problem));
}

}  // namespace slipway::plan
