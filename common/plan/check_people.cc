#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/nearest_name.h"
#include "common/plan/check_parts.h"
#include "common/plan/plan_people.h"
#include "slipway/v1/plan.pb.h"

namespace slipway::plan {
namespace {

constexpr std::uint32_t kApprovalsMax = 10;
constexpr std::size_t kQuestionBytesMax = 256;

bool IsPerson(const std::string& text) {
  const std::string name = OperatorOf(text);
  const auto named = [](unsigned char c) {
    return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '.' || c == '-' || c == '_';
  };
  const bool clean = std::none_of(text.begin(), text.end(), [](unsigned char c) {
    return absl::ascii_iscntrl(c) || absl::ascii_isspace(c);
  });
  return !name.empty() && clean && std::all_of(name.begin(), name.end(), named);
}

void CheckRole(Check& check, const std::string& role, const v1::PlanPeople& people) {
  const std::string path = absl::StrCat("people.", role);
  if (!IsName(role)) {
    check.AtKey(path, kBadName,
                {absl::StrCat("`", role, "` cannot be a role"), "letters, digits and _.-"});
  }
  if (people.people().empty()) {
    check.AtKey(path, kNobodyApproves,
                {absl::StrCat("nobody has the role `", role, "`"), "who?",
                 absl::StrCat("write `", role, ": [NAME]`, the names of operators' certificates")});
  }
  for (int i = 0; i < people.people_size(); ++i) {
    const std::string& person = people.people(i);
    if (IsPerson(person)) continue;
    check.AtValue(absl::StrCat(path, "[", i, "]"), kBadName,
                  {absl::StrCat("`", person, "` cannot be a person"),
                   "the name of an operator's certificate: a-z, 0-9 and .-_",
                   "an address may follow: `lena` and `lena@example.org` are the same person"});
  }
}

}  // namespace

std::string OperatorOf(const std::string& person) {
  return person.substr(0, person.find('@'));
}

std::vector<std::string> OperatorsOf(const v1::Plan& plan, const std::string& role) {
  std::set<std::string> names;
  const auto found = plan.people().find(role);
  if (found == plan.people().end()) return {};
  for (const std::string& person : found->second.people()) names.insert(OperatorOf(person));
  return {names.begin(), names.end()};
}

void CheckPeople(Check& check) {
  for (const auto& [role, people] : check.plan.people()) CheckRole(check, role, people);
}

void CheckApprove(Check& check, const v1::PlanApprove& approve, const std::string& path) {
  if (approve.question().size() > kQuestionBytesMax) {
    check.AtValue(
        path + ".question", kBadValue,
        {"the question is too long", absl::StrCat("at most ", kQuestionBytesMax, " bytes")});
  }
  const auto& within = approve.within();
  if (approve.has_within() && within.seconds() == 0 && within.nanos() == 0) {
    check.AtValue(path + ".within", kBadValue, {"nobody answers in no time", "at least 1ms"});
  }
  if (check.source.Has(path + ".people") &&
      (approve.people() == 0 || approve.people() > kApprovalsMax)) {
    check.AtValue(path + ".people", kBadValue,
                  {absl::StrCat(approve.people(), " people cannot be asked for"),
                   absl::StrCat("1 to ", kApprovalsMax)});
    return;
  }
  if (approve.by().empty()) return;  // refused by the binder
  if (!check.plan.people().contains(approve.by())) {
    std::vector<std::string> roles;
    for (const auto& [role, unused] : check.plan.people()) roles.push_back(role);
    std::sort(roles.begin(), roles.end());
    const std::string near = NearestName(approve.by(), roles);
    check.AtValue(
        path + ".by", kUnknownRole,
        {absl::StrCat("unknown role `", approve.by(), "`"),
         near.empty() ? "not in `people`" : absl::StrCat("did you mean `", near, "`?"),
         near.empty() ? absl::StrCat("add `people: { ", approve.by(), ": [NAME] }`") : ""});
    return;
  }
  const std::size_t have = OperatorsOf(check.plan, approve.by()).size();
  if (have > 0 && approve.people() > have) {
    check.AtValue(path + ".people", kNobodyApproves,
                  {absl::StrCat(approve.people(), " people must approve, and the role `",
                                approve.by(), "` has ", have),
                   "more than there are"});
  }
}

}  // namespace slipway::plan
