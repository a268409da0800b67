#include "deploy/media-repository/byte_range.h"

#include "gtest/gtest.h"

namespace media {
namespace {

constexpr RangeAnswer kWhole = {};
constexpr RangeAnswer kUnsatisfiable = {.kind = RangeAnswer::unsatisfiable, .range = {}};

RangeAnswer Part(std::int64_t offset, std::int64_t length) {
  return {.kind = RangeAnswer::part, .range = {.offset = offset, .length = length}};
}

TEST(ByteRange, BothEndsAreIncluded) {
  EXPECT_EQ(AnswerToRange("bytes=0-0", 100), Part(0, 1));
  EXPECT_EQ(AnswerToRange("bytes=10-19", 100), Part(10, 10));
}

TEST(ByteRange, AnEndBeyondTheContentIsCutToIt) {
  EXPECT_EQ(AnswerToRange("bytes=90-", 100), Part(90, 10));
  EXPECT_EQ(AnswerToRange("bytes=90-4000", 100), Part(90, 10));
  EXPECT_EQ(AnswerToRange("bytes=-30", 100), Part(70, 30));
  EXPECT_EQ(AnswerToRange("bytes=-4000", 100), Part(0, 100));
}

TEST(ByteRange, ARangeBehindTheContentCannotBeSatisfied) {
  EXPECT_EQ(AnswerToRange("bytes=100-", 100), kUnsatisfiable);
  EXPECT_EQ(AnswerToRange("bytes=-0", 100), kUnsatisfiable);
  EXPECT_EQ(AnswerToRange("bytes=0-", 0), kUnsatisfiable);
}

TEST(ByteRange, WhatIsNotOneRangeIsAnsweredWithTheWhole) {
  for (const char* header :
       {"", "bytes=", "bytes=-", "bytes=5-4", "bytes=0-1,3-4", "bytes=a-b", "bytes=--5",
        "bytes=+1-2", "bytes= 1-2", "lines=1-2", "bytes=99999999999999999999-"}) {
    EXPECT_EQ(AnswerToRange(header, 100), kWhole) << header;
  }
}

}  // namespace
}  // namespace media
