#include "common/plan/plan_step.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "slipway/v1/plan.pb.h"

namespace slipway::plan {
namespace {

std::string Basename(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

// What the action is about, in a word; "" when nothing names it.
std::string Subject(const v1::Action& action) {
  switch (action.kind_case()) {
    case v1::Action::kStop:
      return action.stop().service();
    case v1::Action::kStart:
      return action.start().service();
    case v1::Action::kStage:
      return action.stage().component();
    case v1::Action::kSwitch:
      return Basename(action.switch_().app());
    case v1::Action::kConfigure:
      return Basename(action.configure().to());
    case v1::Action::kRun:
      return action.run().hook();
    case v1::Action::kBackup:
      return action.backup().database();
    case v1::Action::kMigrate:
      return action.migrate().database();
    case v1::Action::kCheck:
      if (!action.check().http().empty()) return "http";
      if (!action.check().tcp().empty()) return "tcp";
      return action.check().process().empty() ? "exec" : action.check().process();
    default:
      return "";
  }
}

std::string DefaultName(const v1::PlanStep& step) {
  if (step.has_approve()) return absl::StrCat("approve ", step.approve().by());
  const std::string subject = step.has_action() ? Subject(step.action()) : "";
  const std::string key = ActionKey(step);
  return subject.empty() ? key : absl::StrCat(key, " ", subject);
}

}  // namespace

bool Migrates(const v1::Plan& plan) {
  for (const v1::PlanPhase& phase : plan.phases()) {
    for (const v1::PlanStep& step : phase.steps()) {
      if (step.action().has_migrate()) return true;
    }
  }
  return false;
}

std::string ActionKey(const v1::Action& action) {
  const auto* oneof = v1::Action::descriptor()->FindOneofByName("kind");
  const auto* field = action.GetReflection()->GetOneofFieldDescriptor(action, oneof);
  return field == nullptr ? "" : field->name();
}

std::string ActionKey(const v1::PlanStep& step) {
  if (step.has_wait()) return "wait";
  if (step.has_approve()) return "approve";
  return ActionKey(step.action());
}

std::vector<std::string> StepNames(const v1::PlanPhase& phase) {
  std::set<std::string> taken;
  for (const v1::PlanStep& step : phase.steps()) {
    if (!step.options().name().empty()) taken.insert(step.options().name());
  }
  std::vector<std::string> names;
  for (const v1::PlanStep& step : phase.steps()) {
    if (!step.options().name().empty()) {
      names.push_back(step.options().name());
      continue;
    }
    const std::string stem = DefaultName(step);
    std::string name = stem;
    for (int number = 2; !taken.insert(name).second; ++number)
      name = absl::StrCat(stem, " ", number);
    names.push_back(name);
  }
  return names;
}

}  // namespace slipway::plan
