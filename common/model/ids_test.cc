#include "common/model/ids.h"

#include <gtest/gtest.h>

#include "common/model/outcome.h"

namespace slipway {
namespace {

TEST(CommandIdTest, TextSurvivesTheRoundTrip) {
  const CommandId id{
      RolloutId{"ro-M4TZ7K"}, Course::undo_one, 2, 13, HostId{"web-1.example.org"}, 3};
  EXPECT_EQ(ToString(id), "ro-M4TZ7K/u2.13/web-1.example.org/3");
  EXPECT_EQ(ParseCommandId(ToString(id)), id);
}

TEST(CommandIdTest, OneTextOneId) {
  for (const char* text : {"", "ro", "ro/f1.2/h", "ro/f1.2/h/0", "ro/f1.2/h/-1", "ro/x1.2/h/1",
                           "ro/f1/h/1", "ro/f1.2/h/01", "ro/f70000.1/h/1", "/f1.2/h/1",
                           "ro/f1.2//1", "ro/f1.2/h/1/", "ro/f 1.2/h/1", "ro/f1.2.3/h/1"}) {
    EXPECT_FALSE(ParseCommandId(text).has_value()) << text;
  }
}

TEST(OutcomeTest, EveryWordReadsBack) {
  for (const char* word : {"succeeded", "failed", "timed_out", "unreachable", "unknown"}) {
    ASSERT_TRUE(ParseOutcome(word).has_value()) << word;
    EXPECT_EQ(ToString(*ParseOutcome(word)), word);
  }
  EXPECT_FALSE(ParseOutcome("not_applied").has_value()) << "an agent's word, never an outcome";
  EXPECT_TRUE(ParseVerdict("not_applied").has_value());
}

}  // namespace
}  // namespace slipway
