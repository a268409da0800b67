// The parts of CheckPlan. Each looks at one thing and adds what it finds.
#pragma once

#include <string>
#include <vector>

#include "common/plan/source_map.h"

namespace slipway::v1 {
class Plan;
class PlanApprove;
class PlanPhase;
class PlanStep;
class Strategy;
}  // namespace slipway::v1

namespace slipway::plan {

struct Check {
  const v1::Plan& plan;
  const SourceMap& source;
  std::vector<Problem>& problems;

  void AtKey(const std::string& path, const ErrorCode& code, Words words) {
    problems.push_back(source.At(source.Key(path), code, std::move(words)));
  }
  void AtValue(const std::string& path, const ErrorCode& code, Words words) {
    problems.push_back(source.At(source.Value(path), code, std::move(words)));
  }
};

// Letters, digits and "_.-", beginning with a letter or digit, at most 64.
bool IsName(const std::string& text);

// Names, format version, required version of slipway, groups, variables.
void CheckHead(Check& check);
// `path` is that of the strategy's mapping.
void CheckStrategy(Check& check, const v1::Strategy& strategy, const std::string& path);
void CheckPhase(Check& check, const v1::PlanPhase& phase, const std::string& path);
void CheckRollback(Check& check);
// `database:`, and all steps that name one of its entries.
void CheckDatabases(Check& check);
// Roles and who has them.
void CheckPeople(Check& check);
// `path` is that of the approval's mapping.
void CheckApprove(Check& check, const v1::PlanApprove& approve, const std::string& path);

// The step's own keys; `path` is that of its action ("phases[0].steps[1].stop").
void CheckAction(Check& check, const v1::PlanStep& step, const std::string& path);
// Every text of the step: are its variables well written?
void CheckVariables(Check& check, const v1::PlanStep& step, const std::string& path);

}  // namespace slipway::plan
