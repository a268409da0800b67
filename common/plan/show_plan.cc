#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/plan/filled_in.h"
#include "common/plan/plan_file.h"
#include "common/plan/plan_step.h"
#include "common/plan/scalar_values.h"
#include "common/plan/schema.h"
#include "google/protobuf/message.h"
#include "google/protobuf/util/time_util.h"
#include "slipway/v1/plan.pb.h"

namespace slipway::plan {
namespace {

using google::protobuf::Message;

std::string Text(const google::protobuf::Duration& duration) {
  return DurationText(absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos()));
}

std::string Text(const v1::Share& share) {
  return share.percent() > 0 ? absl::StrCat(share.percent(), "%") : absl::StrCat(share.count());
}

std::string Text(const google::protobuf::RepeatedPtrField<v1::Share>& ramp) {
  return absl::StrJoin(ramp, ", then ", [](std::string* out, const v1::Share& share) {
    absl::StrAppend(out, Text(share));
  });
}

// "  (default)" where the file says nothing.
const char* Mark(bool given) {
  return given ? "" : "  (default)";
}

class Page {
 public:
  void Line(int indent, const std::string& name, const std::string& value,
            const std::string& mark = "") {
    const std::string head = std::string(static_cast<std::size_t>(indent), ' ') + name;
    if (value.empty()) {
      absl::StrAppend(&text_, head, "\n");
      return;
    }
    const std::size_t gap = head.size() < kValueColumn ? kValueColumn - head.size() : 2;
    absl::StrAppend(&text_, head, std::string(gap, ' '), value, mark, "\n");
  }
  std::string Take() { return std::move(text_); }

 private:
  static constexpr std::size_t kValueColumn = 24;
  std::string text_;
};

std::string FieldText(const Message& message, const FieldDescriptor& field) {
  const auto& reflection = *message.GetReflection();
  if (field.is_map()) {
    std::map<std::string, std::string> pairs;
    for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
      const Message& pair = reflection.GetRepeatedMessage(message, &field, i);
      pairs[pair.GetReflection()->GetString(pair, field.message_type()->map_key())] =
          FieldText(pair, *field.message_type()->map_value());
    }
    return absl::StrJoin(pairs, ", ", absl::PairFormatter("="));
  }
  if (field.is_repeated()) {
    std::vector<std::string> items;
    for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
      items.push_back(field.cpp_type() == FieldDescriptor::CPPTYPE_STRING
                          ? reflection.GetRepeatedString(message, &field, i)
                          : absl::StrCat(reflection.GetRepeatedUInt32(message, &field, i)));
    }
    return absl::StrJoin(items, ", ");
  }
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return reflection.GetString(message, &field);
    case FieldDescriptor::CPPTYPE_UINT32:
      return absl::StrCat(reflection.GetUInt32(message, &field));
    case FieldDescriptor::CPPTYPE_UINT64: {
      const std::uint64_t number = reflection.GetUInt64(message, &field);
      return IsBytes(field) ? SizeText(number) : absl::StrCat(number);
    }
    case FieldDescriptor::CPPTYPE_MESSAGE: {
      google::protobuf::Duration duration;  // the only message that an action's keys hold
      duration.CopyFrom(reflection.GetMessage(message, &field));
      return Text(duration);
    }
    case FieldDescriptor::CPPTYPE_ENUM:
      return NameOf(*reflection.GetEnum(message, &field));
    default:
      return "";
  }
}

void ShowAction(const v1::Action& action, Page& page) {
  const auto* kind = action.GetReflection()->GetOneofFieldDescriptor(
      action, v1::Action::descriptor()->FindOneofByName("kind"));
  if (kind == nullptr) return;
  const Message& keys = action.GetReflection()->GetMessage(action, kind);
  std::vector<const FieldDescriptor*> fields;
  keys.GetReflection()->ListFields(keys, &fields);
  for (const FieldDescriptor* field : fields) page.Line(6, KeyOf(*field), FieldText(keys, *field));
}

void ShowApprove(const v1::PlanApprove& approve, const v1::PlanApprove& given, int indent,
                 Page& page) {
  page.Line(indent, "by", approve.by());
  if (approve.people() > 1) page.Line(indent, "people", absl::StrCat(approve.people()));
  if (!approve.question().empty()) page.Line(indent, "question", approve.question());
  page.Line(indent, "within", Text(approve.within()), Mark(given.has_within()));
  page.Line(
      indent, "on_timeout",
      NameOf(*v1::PlanApprove::OnTimeout_descriptor()->FindValueByNumber(approve.on_timeout())));
}

void ShowStep(const v1::PlanStep& step, const v1::PlanStep& given, bool stepwise, bool choice_given,
              Page& page) {
  const v1::StepOptions& options = step.options();
  page.Line(4, absl::StrCat("step ", options.name()), "");
  if (step.has_wait()) {
    page.Line(6, "lasts", Text(step.wait().lasts()));
    return;
  }
  if (step.has_approve()) return ShowApprove(step.approve(), given.approve(), 6, page);
  if (stepwise) page.Line(6, "hosts", options.hosts());
  ShowAction(step.action(), page);
  page.Line(6, "timeout", Text(options.timeout()), Mark(given.options().has_timeout()));
  if (options.retries() > 0) page.Line(6, "retries", absl::StrCat(options.retries()));
  page.Line(6, "unreachable",
            NameOf(*v1::UnreachableChoice::Unreachable_descriptor()->FindValueByNumber(
                options.unreachable().choice())),
            Mark(choice_given || given.options().has_unreachable()));
  if (options.on_rollback()) page.Line(6, "on_rollback", "true");
  if (!options.undo().empty()) page.Line(6, "undo", options.undo());
}

void ShowStrategy(const v1::Strategy& strategy, const v1::Strategy& plan, const v1::Strategy& phase,
                  Page& page) {
  const v1::PlanCanary& canary = strategy.canary();
  const bool none = canary.hosts().count() == 0 && canary.hosts().percent() == 0;
  page.Line(4, "canary",
            none ? "none" : absl::StrCat(Text(canary.hosts()), ", bake ", Text(canary.bake())),
            Mark(plan.has_canary() || phase.has_canary()));
  page.Line(4, "batch", Text(strategy.batch()), Mark(plan.batch_size() + phase.batch_size() > 0));
  page.Line(4, "bake", Text(strategy.bake()), Mark(plan.has_bake() || phase.has_bake()));
  page.Line(4, "max_failed", Text(strategy.max_failed()),
            Mark(plan.has_max_failed() || phase.has_max_failed()));
  for (const std::string& because : {plan.because(), phase.because()}) {
    if (!because.empty()) page.Line(4, "because", because);
  }
}

void ShowRollback(const v1::PlanRollback& rollback, const v1::PlanRollback& given, Page& page) {
  page.Line(0, "rollback", "");
  std::vector<std::string> triggers;
  for (const int trigger : rollback.triggers().triggers()) {
    triggers.push_back(NameOf(*v1::PlanRollback::Trigger_descriptor()->FindValueByNumber(trigger)));
  }
  page.Line(2, "triggers", triggers.empty() ? "none" : absl::StrJoin(triggers, ", "),
            Mark(given.has_triggers()));
  page.Line(2, "batch", Text(rollback.strategy().batch()), Mark(given.has_strategy()));
  page.Line(
      2, "database",
      NameOf(*v1::PlanRollback::Database_descriptor()->FindValueByNumber(rollback.database())),
      Mark(given.has_database()));
  page.Line(2, "verify", rollback.verify().verify().empty() ? "nothing" : "check",
            Mark(given.has_verify()));
  page.Line(2, "within", Text(rollback.within()), Mark(given.has_within()));
  if (!rollback.because().empty()) page.Line(2, "because", rollback.because());
}

void ShowHead(const v1::Plan& plan, Page& page) {
  page.Line(0, "plan", plan.name());
  page.Line(0, "environment", plan.environment());
  if (!plan.requires_slipway().empty()) page.Line(0, "requires", plan.requires_slipway());
  for (const auto& [name, group] : std::map(plan.groups().begin(), plan.groups().end())) {
    std::string guard;
    if (group.exactly() > 0) guard = absl::StrCat("  exactly ", group.exactly());
    if (group.min() > 0) guard = absl::StrCat("  at least ", group.min());
    page.Line(0, absl::StrCat("group ", name), group.select(), guard);
  }
  for (const auto& [name, database] : std::map(plan.database().begin(), plan.database().end())) {
    page.Line(
        0, absl::StrCat("database ", name),
        absl::StrCat(
            NameOf(*v1::DatabaseTarget::Kind_descriptor()->FindValueByNumber(database.kind())),
            " at ", database.url()));
  }
  for (const auto& [role, people] : std::map(plan.people().begin(), plan.people().end())) {
    page.Line(0, absl::StrCat("role ", role), absl::StrJoin(people.people(), ", "));
  }
  for (const auto& [name, value] : std::map(plan.vars().begin(), plan.vars().end())) {
    page.Line(0, absl::StrCat("variable ", name), value);
  }
}

}  // namespace

std::string ShowPlan(const v1::Plan& given) {
  const v1::Plan plan = FilledIn(given);
  Page page;
  ShowHead(plan, page);
  for (int i = 0; i < plan.phases_size(); ++i) {
    const v1::PlanPhase& phase = plan.phases(i);
    const bool stepwise = phase.hosts().empty();
    page.Line(0, absl::StrCat("phase ", phase.phase()),
              stepwise ? "step by step" : absl::StrCat("batches of group ", phase.hosts()));
    if (phase.has_takes()) page.Line(4, "takes", Text(phase.takes()));
    if (phase.has_approve()) {
      page.Line(4, "approve", "");
      ShowApprove(phase.approve(), given.phases(i).approve(), 6, page);
    }
    if (!stepwise) {
      ShowStrategy(phase.strategy(), given.strategy(), given.phases(i).strategy(), page);
    }
    for (int j = 0; j < phase.steps_size(); ++j) {
      ShowStep(phase.steps(j), given.phases(i).steps(j), stepwise,
               given.strategy().has_unreachable() || given.phases(i).strategy().has_unreachable(),
               page);
    }
  }
  ShowRollback(plan.rollback(), given.rollback(), page);
  return page.Take();
}

}  // namespace slipway::plan
