#include "tools/slipway/plan_problems.h"

#include "common/plan/problem_proto.h"
#include "common/plan/render_problems.h"
#include "slipway/v1/rollout.pb.h"
#include "tools/slipway/output.h"
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

std::string ProblemsJson(const std::vector<plan::Problem>& problems) {
  return ToJson(plan::ToProto(problems), true);
}

}  // namespace slipway::cli
