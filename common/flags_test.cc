#include "common/flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace slipway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

absl::StatusOr<CommandLine> Parse(const std::vector<std::string>& arguments) {
  return ParseCommandLine(arguments, {"dir", "name"}, {"verbose"});
}

TEST(Flags, WordsAndFlagsAreSplitInAnyOrder) {
  const auto line = Parse({"init", "--name", "a", "b", "--verbose", "--dir=/x", "more"});
  ASSERT_TRUE(line.ok()) << line.status();
  EXPECT_THAT(line->words, ElementsAre("init", "more"));
  EXPECT_THAT(line->All("name"), ElementsAre("a", "b"));
  EXPECT_EQ(line->Get("dir"), "/x");
  EXPECT_TRUE(line->Has("verbose"));
  EXPECT_EQ(line->Get("absent", "else"), "else");
}

TEST(Flags, UnknownAndValuelessFlagsAreNamed) {
  EXPECT_THAT(std::string(Parse({"--nmae", "x"}).status().message()), HasSubstr("--nmae"));
  EXPECT_THAT(std::string(Parse({"--dir", "--verbose"}).status().message()),
              HasSubstr("--dir needs"));
  EXPECT_FALSE(Parse({"--verbose=yes"}).ok());
}

}  // namespace
}  // namespace slipway
