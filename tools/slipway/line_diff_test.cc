#include "tools/slipway/line_diff.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace slipway::cli {
namespace {

using Kind = DiffLine::Kind;
using testing::ElementsAre;

std::string Side(const std::vector<DiffLine>& diff, Kind other) {
  std::string text;
  for (const DiffLine& line : diff) {
    if (line.kind != other) text += line.text + "\n";
  }
  return text;
}

TEST(LineDiffTest, WhatIsTheSameStaysAndWhatChangedIsNamed) {
  EXPECT_THAT(DiffLines("a\nb\nc\n", "a\nB\nc\n"),
              ElementsAre(DiffLine{Kind::same, "a"}, DiffLine{Kind::removed, "b"},
                          DiffLine{Kind::added, "B"}, DiffLine{Kind::same, "c"}));
  EXPECT_THAT(DiffLines("", "a\n"), ElementsAre(DiffLine{Kind::added, "a"}));
  EXPECT_THAT(DiffLines("a\n", ""), ElementsAre(DiffLine{Kind::removed, "a"}));
  EXPECT_TRUE(DiffLines("", "").empty());
}

TEST(LineDiffTest, BothSidesCanBeReadOffIt) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    std::string before, after;
    for (std::string* text : {&before, &after}) {
      for (unsigned i = random() % 12; i > 0; --i)
        *text += std::string(1, 'a' + random() % 4) + "\n";
    }
    const auto diff = DiffLines(before, after);
    EXPECT_EQ(Side(diff, Kind::added), before);
    EXPECT_EQ(Side(diff, Kind::removed), after);
  }
}

}  // namespace
}  // namespace slipway::cli
