// What is wrong with a file that a person wrote, and where.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace slipway::plan {

// Mirrors slipway.v1.PlanProblem. Lines and columns count from 1; columns in characters, not
// bytes. line 0: the problem has no place in the file.
struct Problem {
  enum class Severity { error, warning };
  Severity severity = Severity::error;
  std::string code;  // "P014", see plan_errors.h
  std::string message;
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::uint32_t length = 0;  // characters under the caret
  std::string label;         // beside the caret
  std::string help;
  std::string source_line;
  bool operator==(const Problem&) const = default;
};

bool HasErrors(const std::vector<Problem>& problems);

// In the order of the file; at one place in the order of finding.
void SortByPlace(std::vector<Problem>& problems);

}  // namespace slipway::plan
