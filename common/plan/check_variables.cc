#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/nearest_name.h"
#include "common/plan/check_parts.h"
#include "common/plan/variables.h"
#include "slipway/v1/plan.pb.h"

namespace slipway::plan {
namespace {

void CheckText(Check& check, const std::string& path, const std::string& text) {
  for (const VariableUse& use : VariablesOf(text)) {
    if (!use.error.empty()) {
      check.AtValue(path, kBadVariable, {use.error, "write it like `{{port}}`"});
      return;
    }
    const std::optional<std::string> group = AnyGroup(use.name);
    const bool call = use.name.find_first_of("()") != std::string::npos;
    if (call && !group.has_value()) {
      check.AtValue(path, kBadVariable,
                    {absl::StrCat("`{{", use.name, "}}` cannot be read"),
                     "the only form with brackets is any(GROUP)"});
    } else if (group.has_value() && !check.plan.groups().contains(*group)) {
      std::vector<std::string> groups;
      for (const auto& [name, unused] : check.plan.groups()) groups.push_back(name);
      std::sort(groups.begin(), groups.end());
      const std::string near = NearestName(*group, groups);
      check.AtValue(
          path, kUnknownGroup,
          {absl::StrCat("unknown group `", *group, "`"),
           near.empty() ? "not in `groups`" : absl::StrCat("did you mean `{{any(", near, ")}}`?")});
    }
  }
}

}  // namespace

void CheckVariables(Check& check, const v1::PlanStep& step, const std::string& path) {
  if (!step.has_action()) return;
  // The path of the action is that of its message: `path` ends with its key.
  const std::string parent = path.substr(0, path.rfind('.'));
  VisitTexts(step.action(), parent,
             [&](const std::string& at, const std::string& text) { CheckText(check, at, text); });
}

}  // namespace slipway::plan
