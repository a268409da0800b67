#include "common/plan/problem_proto.h"

#include "slipway/v1/rollout.pb.h"

namespace slipway::plan {

v1::PlanProblem ToProto(const Problem& problem) {
  v1::PlanProblem proto;
  proto.set_severity(problem.severity == Problem::Severity::warning ? v1::PlanProblem::WARNING
                                                                    : v1::PlanProblem::ERROR);
  proto.set_code(problem.code);
  proto.set_message(problem.message);
  proto.set_file(problem.file);
  proto.set_line(problem.line);
  proto.set_column(problem.column);
  proto.set_length(problem.length);
  proto.set_label(problem.label);
  proto.set_help(problem.help);
  proto.set_source_line(problem.source_line);
  return proto;
}

Problem FromProto(const v1::PlanProblem& proto) {
  Problem problem;
  problem.severity = proto.severity() == v1::PlanProblem::WARNING ? Problem::Severity::warning
                                                                  : Problem::Severity::error;
  problem.code = proto.code();
  problem.message = proto.message();
  problem.file = proto.file();
  problem.line = proto.line();
  problem.column = proto.column();
  problem.length = proto.length();
  problem.label = proto.label();
  problem.help = proto.help();
  problem.source_line = proto.source_line();
  return problem;
}

v1::PlanProblems ToProto(const std::vector<Problem>& problems) {
  v1::PlanProblems proto;
  for (const Problem& problem : problems) *proto.add_problems() = ToProto(problem);
  return proto;
}

std::vector<Problem> FromProto(const v1::PlanProblems& proto) {
  std::vector<Problem> problems;
  for (const v1::PlanProblem& problem : proto.problems()) problems.push_back(FromProto(problem));
  return problems;
}

}  // namespace slipway::plan
