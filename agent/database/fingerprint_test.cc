#include "agent/database/fingerprint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace slipway::agent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Fingerprint Sample() {
  return {.kind = "sqlite",
          .objects = {{"index by_owner", "create index by_owner on items ( owner )"},
                      {"table items", "create table items ( id , owner )"}},
          .tables = {{"items", {10, "aa"}}, {"owners", {1, "bb"}}}};
}

TEST(FingerprintTest, TextComesBack) {
  const auto back = ParseFingerprint(Sample().ToText());
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(*back, Sample());
  EXPECT_EQ(back->rows(), 11u);
}

TEST(FingerprintTest, CanonicalTextIsAsTheFormatSays) {
  EXPECT_EQ(Sample().ToText(),
            "slipway-fingerprint 1 sqlite\n"
            "O\tindex\tby_owner\tcreate index by_owner on items ( owner )\n"
            "O\ttable\titems\tcreate table items ( id , owner )\n"
            "T\titems\t10\taa\n"
            "T\towners\t1\tbb\n");
}

TEST(FingerprintTest, OrderOfLinesIsNothing) {
  const auto one = ParseFingerprintLines("sqlite", "T\ta\t1\taa\nO\ttable\ta\tx\n");
  const auto two = ParseFingerprintLines("sqlite", "O\ttable\ta\tx\nT\ta\t1\taa\n");
  ASSERT_TRUE(one.ok() && two.ok());
  EXPECT_EQ(one->Hash(), two->Hash());
}

TEST(FingerprintTest, LinesWithoutMeaningAreNamed) {
  for (const char* line : {"X\ta\tb\tc", "O\ttable\ta", "O\t\ta\tx", "O\ttwo words\ta\tx",
                           "T\ta\tmany\taa", "T\ta\t-1\taa", "T\ta\t1\t", "T\ta\t1\ta b",
                           "O\ttable\ta\tx\nO\ttable\ta\ty", "T\ta\t1\taa\nT\ta\t1\taa"}) {
    const auto parsed = ParseFingerprintLines("sqlite", line);
    EXPECT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument) << line;
  }
  EXPECT_FALSE(ParseFingerprint("").ok());
  EXPECT_FALSE(ParseFingerprint("slipway-fingerprint 2 sqlite\n").ok());
  EXPECT_FALSE(ParseFingerprint("slipway-fingerprint 1 \n").ok());
}

TEST(FingerprintTest, EachDifferenceIsNamed) {
  Fingerprint now = Sample();
  EXPECT_THAT(Differences(Sample(), now), IsEmpty());
  now.objects.erase("index by_owner");
  now.objects["table items"] = "create table items ( id )";
  now.objects["view v"] = "create view v";
  now.tables["items"].rows = 9;
  now.tables["owners"].digest = "cc";
  now.tables["extra"] = {2, "dd"};
  EXPECT_THAT(Differences(Sample(), now),
              ElementsAre("index by_owner is missing",
                          "table items is `create table items ( id )` instead of `create table "
                          "items ( id , owner )`",
                          "view v was not there", "table items has 9 rows instead of 10",
                          "table owners has 1 row as before, with other content",
                          "the 2 rows of table extra were not there"));
  EXPECT_THAT(Describe(Differences(Sample(), now)), HasSubstr("; and 1 more"));
}

}  // namespace
}  // namespace slipway::agent
