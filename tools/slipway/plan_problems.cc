#include "tools/slipway/plan_problems.h"

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "common/plan/problem_proto.h"
#include "common/plan/render_problems.h"
#include "common/status_macros.h"
#include "slipway/v1/rollout.pb.h"
#include "tools/slipway/controller.h"
#include "tools/slipway/output.h"
#include "tools/slipway/read_file.h"
#include "tools/slipway/term/escape.h"
#include "tools/slipway/term/terminal.h"

namespace slipway::cli {

std::string RenderPlanProblems(const std::string& bytes) {
  v1::PlanProblems message;
  if (!message.ParseFromString(bytes) || message.problems().empty()) return "";
  std::vector<plan::Problem> problems = plan::FromProto(message);
  for (plan::Problem& problem : problems) {
    for (std::string* text :
         {&problem.message, &problem.file, &problem.label, &problem.help, &problem.source_line}) {
      *text = Escape(*text, true);
    }
  }
  return plan::RenderProblems(problems,
                              StandardError().colour ? plan::Colour::ansi : plan::Colour::none);
}

absl::Status UnsoundPlan(const std::string& path, const std::vector<plan::Problem>& problems) {
  absl::Status unsound = absl::InvalidArgumentError(absl::StrCat(path, " is no sound plan"));
  unsound.SetPayload(kPlanProblems, absl::Cord(plan::ToProto(problems).SerializeAsString()));
  return unsound;
}

absl::StatusOr<plan::LoadedPlan> LoadPlanFile(const std::string& path) {
  SLIPWAY_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path));
  return plan::LoadPlan(path, bytes);
}

absl::StatusOr<plan::LoadedPlan> LoadSoundPlan(const std::string& path) {
  SLIPWAY_ASSIGN_OR_RETURN(plan::LoadedPlan loaded, LoadPlanFile(path));
  if (!plan::HasErrors(loaded.problems)) return loaded;
  return UnsoundPlan(path, loaded.problems);
}

std::string ProblemsJson(const std::vector<plan::Problem>& problems) {
  return ToJson(plan::ToProto(problems), true);
}

}  // namespace slipway::cli
