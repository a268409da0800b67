#include "tools/slipway/plan_problems.h"

#include "common/plan/render_problems.h"
#include "slipway/v1/rollout.pb.h"
#include "tools/slipway/output.h"
#include "tools/slipway/term/escape.h"
#include "tools/slipway/term/terminal.h"

namespace slipway::cli {

std::string RenderPlanProblems(const std::string& bytes) {
  v1::PlanProblems message;
  if (!message.ParseFromString(bytes) || message.problems().empty()) return "";
  std::vector<plan::Problem> problems;
  for (const v1::PlanProblem& p : message.problems()) {
    problems.push_back({.severity = p.severity() == v1::PlanProblem::WARNING
                                        ? plan::Problem::Severity::warning
                                        : plan::Problem::Severity::error,
                        .code = p.code(),
                        .message = Escape(p.message(), true),
                        .file = Escape(p.file(), true),
                        .line = p.line(),
                        .column = p.column(),
                        .length = p.length(),
                        .label = Escape(p.label(), true),
                        .help = Escape(p.help(), true),
                        .source_line = Escape(p.source_line(), true)});
  }
  return plan::RenderProblems(problems,
                              StandardError().colour ? plan::Colour::ansi : plan::Colour::none);
}

std::string ProblemsJson(const std::vector<plan::Problem>& problems) {
  v1::PlanProblems message;
  for (const plan::Problem& problem : problems) {
    v1::PlanProblem& p = *message.add_problems();
    p.set_severity(problem.severity == plan::Problem::Severity::warning ? v1::PlanProblem::WARNING
                                                                        : v1::PlanProblem::ERROR);
    p.set_code(problem.code);
    p.set_message(problem.message);
    p.set_file(problem.file);
    p.set_line(problem.line);
    p.set_column(problem.column);
    p.set_length(problem.length);
    p.set_label(problem.label);
    p.set_help(problem.help);
    p.set_source_line(problem.source_line);
  }
  return ToJson(message, true);
}

}  // namespace slipway::cli
