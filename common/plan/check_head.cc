#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/plan/check_parts.h"
#include "common/plan/plan_defaults.h"
#include "common/plan/scalar_values.h"
#include "common/selector.h"
#include "slipway/v1/plan.pb.h"

namespace slipway::plan {
namespace {

constexpr std::size_t kNameMax = 64;

using Version = std::array<std::uint64_t, 3>;

std::optional<Version> ParseVersion(const std::string& text) {
  const std::vector<std::string> parts = absl::StrSplit(text, '.');
  if (parts.size() > 3) return std::nullopt;
  Version version{};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto number = ParseWhole(parts[i], 1'000'000);
    if (!number.has_value()) return std::nullopt;
    version[i] = *number;
  }
  return version;
}

void CheckRequires(Check& check) {
  const std::string& text = check.plan.requires_slipway();
  if (text.empty()) return;
  const std::optional<Version> wanted =
      text.substr(0, 2) == ">=" ? ParseVersion(text.substr(2)) : std::nullopt;
  if (!wanted.has_value()) {
    check.AtValue(
        "requires", kBadValue,
        {absl::StrCat("`requires: ", text, "` cannot be read"), "write it like \">=0.1\""});
  } else if (*ParseVersion(SLIPWAY_VERSION) < *wanted) {
    check.AtValue("requires", kVersionTooOld,
                  {absl::StrCat("the plan requires slipway ", text),
                   absl::StrCat("this is ", SLIPWAY_VERSION), "use a newer slipway"});
  }
}

void CheckNameAt(Check& check, const std::string& path, const std::string& text) {
  if (text.empty() || IsName(text)) return;
  check.AtValue(path, kBadName,
                {absl::StrCat("`", text, "` cannot be a name"),
                 absl::StrCat("letters, digits and _.-, at most ", kNameMax)});
}

void CheckGroup(Check& check, const std::string& name, const v1::PlanGroup& group) {
  const std::string path = absl::StrCat("groups.", name);
  if (!IsName(name)) {
    check.AtKey(path, kBadName,
                {absl::StrCat("`", name, "` cannot be a name"), "letters, digits and _.-"});
  }
  Selector selector;
  const auto error = ReadSelector(group.select(), selector);
  if (error.has_value()) {
    Span span = check.source.Value(path + ".select");
    span.column += static_cast<std::uint32_t>(error->position);
    span.length = 1;
    check.problems.push_back(check.source.At(
        span, kBadSelector,
        {absl::StrCat("the selector of group `", name, "` cannot be read"), error->message}));
  }
  const bool exactly = check.source.Has(path + ".exactly");
  const bool min = check.source.Has(path + ".min");
  if (exactly && min) {
    check.AtKey(
        path + ".min", kBadGuard,
        {absl::StrCat("group `", name, "` has both `exactly` and `min`"), "keep one of them"});
  }
  for (const char* guard : {"exactly", "min"}) {
    const std::string at = absl::StrCat(path, ".", guard);
    const std::uint32_t value = guard[0] == 'e' ? group.exactly() : group.min();
    if (!check.source.Has(at) || value != 0) continue;
    check.AtValue(
        at, kBadGuard,
        {absl::StrCat("`", guard, ": 0` guards nothing"), "an empty group is always an error"});
  }
}

bool IsUsed(const v1::Plan& plan, const std::string& group) {
  const std::string text = absl::StrCat("{{", group, "}}");
  for (const auto& [name, database] : plan.database()) {
    const auto& users = database.used_by();
    if (std::find(users.begin(), users.end(), group) != users.end()) return true;
  }
  return std::any_of(plan.phases().begin(), plan.phases().end(), [&](const v1::PlanPhase& phase) {
    if (phase.hosts() == group) return true;
    return std::any_of(phase.steps().begin(), phase.steps().end(), [&](const v1::PlanStep& step) {
      const std::string written = step.SerializeAsString();
      return step.options().hosts() == group || written.find(text) != std::string::npos ||
             written.find(absl::StrCat("(", group, ")")) != std::string::npos;
    });
  });
}

void CheckVars(Check& check) {
  for (const auto& [name, value] : check.plan.vars()) {
    const std::string path = absl::StrCat("vars.", name);
    const bool built_in = std::find(kBuiltInVariables.begin(), kBuiltInVariables.end(), name) !=
                          kBuiltInVariables.end();
    if (!IsName(name)) {
      check.AtKey(path, kBadName,
                  {absl::StrCat("`", name, "` cannot be the name of a variable"),
                   "letters, digits and _.-"});
    } else if (built_in || check.plan.groups().contains(name)) {
      check.AtKey(path, kBadVariable,
                  {absl::StrCat("`", name, "` is a variable already"),
                   built_in ? "set by slipway" : "a group's addresses", "choose another name"});
    }
  }
}

}  // namespace

bool IsName(const std::string& text) {
  return !text.empty() && text.size() <= kNameMax && absl::ascii_isalnum(text[0]) &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return absl::ascii_isalnum(c) || c == '_' || c == '.' || c == '-';
         });
}

void CheckHead(Check& check) {
  const v1::Plan& plan = check.plan;
  if (check.source.Has("plan") && plan.plan() != kFormatVersion1) {
    check.AtValue("plan", kFormatVersion,
                  {absl::StrCat("format version ", plan.plan(), " is not known"),
                   "this slipway reads `plan: 1`"});
  }
  CheckNameAt(check, "name", plan.name());
  CheckNameAt(check, "environment", plan.environment());
  CheckRequires(check);
  // Map order is not the file's; what is found is sorted by place at the end.
  for (const auto& [name, group] : plan.groups()) {
    CheckGroup(check, name, group);
    if (!IsUsed(plan, name)) {
      check.AtKey(absl::StrCat("groups.", name), kUnusedGroup,
                  {absl::StrCat("group `", name, "` is not used"), "no step names it"});
    }
  }
  CheckVars(check);
}

}  // namespace slipway::plan
