#include "common/plan/yaml_binder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/plan/problem_proto.h"
#include "common/plan/render_problems.h"
#include "common/plan/strict_yaml.h"
#include "slipway/v1/plan.pb.h"
#include "slipway/v1/rollout.pb.h"

namespace slipway::plan {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kGood[] = R"(plan: 1
name: media
environment: "staging"
requires: ">=0.1"
groups:
  web: { select: "role=web", min: 1 }
strategy:
  canary: { hosts: 1, bake: 30s }
  batch: [50%, 100%]
  max_failed: 0
phases:
  - phase: frontend
    takes: 1h
    hosts: web
    steps:
      - switch: { app: /srv/media-web, retries: 2, unreachable: wait }
      - check:
          http: "http://127.0.0.1/"
          json: { version: "2.0" }
          on_rollback: true
          timeout: 1m30s
rollback:
  triggers: [step_failed, manual]
  database: keep
)";

v1::Plan BindGood(std::string_view text) {
  v1::Plan plan;
  const Bound bound = BindYaml("plan.yaml", text, plan);
  EXPECT_EQ(RenderProblems(bound.problems, Colour::none), "");
  return plan;
}

std::vector<std::string> Codes(std::string_view text) {
  v1::Plan plan;
  std::vector<std::string> codes;
  for (const Problem& problem : BindYaml("plan.yaml", text, plan).problems)
    codes.push_back(problem.code);
  return codes;
}

TEST(YamlBinder, FillsEveryKindOfField) {
  const v1::Plan plan = BindGood(kGood);
  EXPECT_EQ(plan.requires_slipway(), ">=0.1");
  EXPECT_EQ(plan.groups().at("web").min(), 1U);
  EXPECT_EQ(plan.strategy().canary().bake().seconds(), 30);
  ASSERT_EQ(plan.strategy().batch_size(), 2);
  EXPECT_EQ(plan.strategy().batch(0).percent(), 50U);
  EXPECT_TRUE(plan.strategy().has_max_failed());
  ASSERT_EQ(plan.phases(0).steps_size(), 2);
  const v1::PlanStep& change = plan.phases(0).steps(0);
  EXPECT_EQ(change.action().switch_().app(), "/srv/media-web");
  EXPECT_EQ(change.options().retries(), 2U);
  EXPECT_EQ(change.options().unreachable().choice(), v1::UnreachableChoice::WAIT);
  const v1::PlanStep& check = plan.phases(0).steps(1);
  EXPECT_EQ(check.action().check().json().at("version"), "2.0");
  EXPECT_EQ(check.options().timeout().seconds(), 90);
  EXPECT_TRUE(check.options().on_rollback());
  EXPECT_THAT(plan.rollback().triggers().triggers(),
              ElementsAre(v1::PlanRollback::STEP_FAILED, v1::PlanRollback::MANUAL));
}

TEST(YamlBinder, JsonIsTheSameTree) {
  const v1::Plan plan = BindGood(
      "{\n\t\"plan\": 1, \"name\": \"media\", \"environment\": \"s\\u0074aging\",\n"
      "\t\"groups\": {\"web\": {\"select\": \"role=web\"}},\n"
      "\t\"strategy\": {\"batch\": [\"50%\", 2], \"bake\": \"10s\"},\n"
      "\t\"phases\": [{\"phase\": \"p\", \"hosts\": \"web\", \"steps\": [{\"noop\": {}}]}]\n}\n");
  EXPECT_EQ(plan.environment(), "staging");
  EXPECT_EQ(plan.strategy().batch(1).count(), 2U);
  EXPECT_TRUE(plan.phases(0).steps(0).action().has_noop());
}

TEST(YamlBinder, WindowsFilesAreReadTheSame) {
  std::string windows = "\xEF\xBB\xBF";
  for (const char c : std::string(kGood))
    windows += c == '\n' ? std::string("\r\n") : std::string(1, c);
  EXPECT_EQ(BindGood(windows).SerializeAsString().size(),
            BindGood(kGood).SerializeAsString().size());
}

TEST(YamlBinder, AShareMayStandAlone) {
  const v1::Plan plan = BindGood(
      "plan: 1\nname: a\nenvironment: b\ngroups: {}\nphases: []\nstrategy: { batch: 25% }\n");
  EXPECT_EQ(plan.strategy().batch(0).percent(), 25U);
}

TEST(YamlBinder, PointsAtKeysAndValues) {
  v1::Plan plan;
  const Bound bound = BindYaml("plan.yaml", kGood, plan);
  EXPECT_EQ(bound.source.Value("phases[0].steps[0].switch.app"), (Span{16, 24, 14}));
  EXPECT_EQ(bound.source.Key("phases[0].steps[0].switch.app"), (Span{16, 19, 3}));
  EXPECT_TRUE(bound.source.Has("rollback.triggers[1]"));
  EXPECT_FALSE(bound.source.Has("rollback.within"));
  EXPECT_EQ(bound.source.Key("rollback.within").line, 22U) << "the nearest enclosing place";
}

TEST(YamlBinder, ReportsSeveralProblemsInTheOrderOfTheFile) {
  EXPECT_THAT(Codes("plan: one\nname: yes\nenvironment: x\nwindow: { opens: now }\ngroups: {}\n"
                    "strategy: { bake: 10, batch: 150% }\nphases: []\nextra: 1\n"),
              ElementsAre("P016", "P006", "P019", "P013", "P014", "P003"));
}

TEST(YamlBinder, ColumnsCountCharactersNotBytes) {
  v1::Plan plan;
  const Bound bound = BindYaml("plan.yaml", "name: \"größe\"\nnämé: 1\n", plan);
  const std::string text = RenderProblems(bound.problems, Colour::none);
  EXPECT_THAT(text, HasSubstr("2 | nämé: 1\n  | ^^^^ "));
}

TEST(YamlBinder, RefusesMoreThanTheLimits) {
  EXPECT_THAT(Codes(std::string(kFileBytesMax + 1, ' ')), ElementsAre("P010"));
  EXPECT_THAT(Codes("a: " + std::string(kDepthMax + 1, '[')), ElementsAre("P010"));
  std::string wide = "a: [";
  for (std::size_t i = 0; i <= kNodesMax; ++i) wide += "1,";
  EXPECT_THAT(Codes(wide + "1]\n"), ElementsAre("P010"));
}

TEST(YamlBinder, AliasesAreNeverExpanded) {
  EXPECT_THAT(Codes("plan: 1\nname: &a x\nenvironment: *a\ngroups: {}\nphases: []\n"),
              ElementsAre("P004", "P004"));
}

TEST(YamlBinder, StopsAtAHundredProblems) {
  std::string text;
  for (int i = 0; i < 500; ++i) text += "k" + std::to_string(i) + ": 1\n";
  EXPECT_EQ(Codes(text).size(), kProblemsMax);
}

TEST(RenderProblems, ShowsPlaceLineCaretAndHelp) {
  Problem problem;
  problem.code = "P014";
  problem.message = "batch of `150%` is no share of a group";
  problem.file = "shop.yaml";
  problem.line = 18;
  problem.column = 10;
  problem.length = 4;
  problem.label = "a share";
  problem.help = "write `batch: 25%`";
  problem.source_line = "  batch: 150%";
  EXPECT_EQ(RenderProblems({problem}, Colour::none),
            "error[P014]: batch of `150%` is no share of a group\n"
            "  --> shop.yaml:18:10\n"
            "   |\n"
            "18 |   batch: 150%\n"
            "   |          ^^^^ a share\n"
            "   |\n"
            "   = help: write `batch: 25%`\n");
  EXPECT_THAT(RenderProblems({problem}, Colour::ansi), HasSubstr("\x1b[1;31merror[P014]\x1b[0m"));
  EXPECT_EQ(CountProblems("shop.yaml", {problem, problem}), "shop.yaml: 2 errors");
}

TEST(ProblemProto, GoesThereAndBack) {
  v1::Plan plan;
  std::vector<Problem> problems = BindYaml("plan.yaml", "plan: one\nname: yes\n", plan).problems;
  ASSERT_GE(problems.size(), 2U);
  problems[0].severity = Problem::Severity::warning;
  problems[0].help = "help";
  EXPECT_EQ(FromProto(ToProto(problems)), problems);
}

}  // namespace
}  // namespace slipway::plan
