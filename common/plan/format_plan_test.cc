#include "common/plan/format_plan.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace slipway::plan {
namespace {

std::string Formatted(const std::string& text) {
  std::vector<Problem> problems;
  const auto formatted = FormatPlan(SourceMap("plan.yaml", text), problems);
  EXPECT_TRUE(formatted.has_value()) << text;
  if (!formatted) return "";
  std::vector<Problem> again;
  EXPECT_EQ(FormatPlan(SourceMap("plan.yaml", *formatted), again), formatted) << "not idempotent";
  return *formatted;
}

TEST(FormatPlanTest, EachDepthIsTwoBlanks) {
  EXPECT_EQ(Formatted("plan: 1\n"
                      "strategy:\n"
                      "     batch: [25%]\n"
                      "     bake:   10s\n"
                      "phases:\n"
                      "-   phase: a\n"
                      "    steps:\n"
                      "    - stop: { service: x }\n"
                      "    -   run:\n"
                      "          hook: y\n"),
            "plan: 1\n"
            "strategy:\n"
            "  batch: [25%]\n"
            "  bake:   10s\n"
            "phases:\n"
            "  - phase: a\n"
            "    steps:\n"
            "      - stop: { service: x }\n"
            "      - run:\n"
            "          hook: y\n");
}

TEST(FormatPlanTest, CommentsStandWithWhatTheyAreAbout) {
  EXPECT_EQ(Formatted("# head\n"
                      "a:   # beside\n"
                      "    # of b\n"
                      "    b: 1\n"
                      "    # ends a\n"
                      "# of c\n"
                      "c:\n"
                      "- x\n"
                      "# of y\n"
                      "- y\n"
                      "# end\n"),
            "# head\n"
            "a:   # beside\n"
            "  # of b\n"
            "  b: 1\n"
            "  # ends a\n"
            "# of c\n"
            "c:\n"
            "  - x\n"
            "  # of y\n"
            "  - y\n"
            "# end\n");
}

TEST(FormatPlanTest, BlankLinesAndEndsOfLinesAreTidied) {
  EXPECT_EQ(Formatted("\n\na: 1  \r\n\n\n\nb: 2\t\n\n\n"), "a: 1\n\nb: 2\n");
  EXPECT_EQ(Formatted("a: 1"), "a: 1\n");
}

TEST(FormatPlanTest, ScalarsAndBracketsKeepTheirShape) {
  EXPECT_EQ(Formatted("a:\n"
                      "    run: |\n"
                      "        if x; then   \n"
                      "          # no comment\n"
                      "\n"
                      "\n"
                      "        fi\n"
                      "    say: \"one\n"
                      "      # two\"\n"
                      "    list: [1,   # first\n"
                      "           2]\n"
                      "    it: 'is # not'\n"
                      "    more: >-\n"
                      "     folded\n"
                      "     text\n"
                      "b:\n"
                      "- |\n"
                      " item\n"
                      "- 2\n"),
            "a:\n"
            "  run: |\n"
            "      if x; then   \n"
            "        # no comment\n"
            "\n"
            "\n"
            "      fi\n"
            "  say: \"one\n"
            "    # two\"\n"
            "  list: [1,   # first\n"
            "         2]\n"
            "  it: 'is # not'\n"
            "  more: >-\n"
            "   folded\n"
            "   text\n"
            "b:\n"
            "  - |\n"
            "   item\n"
            "  - 2\n");
}

TEST(FormatPlanTest, WhatCannotBeReadIsLeftAlone) {
  std::vector<Problem> problems;
  EXPECT_EQ(FormatPlan(SourceMap("plan.yaml", "a: [1\nb: 2\n"), problems), std::nullopt);
  EXPECT_FALSE(problems.empty());
}

TEST(FormatPlanTest, WhatCannotBeLaidOutIsRefused) {
  // Blank lines at the end belong to this text, and a file has none there.
  std::vector<Problem> problems;
  EXPECT_EQ(FormatPlan(SourceMap("plan.yaml", "a: |+\n  b\n\n\n"), problems), std::nullopt);
  EXPECT_TRUE(problems.empty());
}

}  // namespace
}  // namespace slipway::plan
