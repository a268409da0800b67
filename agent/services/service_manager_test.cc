#include "agent/services/service_manager.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

namespace slipway::agent {
namespace {

using testing::HasSubstr;

TEST(ParseLadder, DefaultIsTermThenKill) {
  const auto ladder = ParseLadder({});
  ASSERT_TRUE(ladder.ok());
  const std::vector<Rung> expected = {
      {.signal = SIGTERM}, {.wait = absl::Seconds(20)}, {.signal = SIGKILL}};
  EXPECT_EQ(*ladder, expected);
}

TEST(ParseLadder, SignalsMayCarryTheirPrefix) {
  const auto ladder = ParseLadder({"SIGINT", "1m30s", "QUIT"});
  ASSERT_TRUE(ladder.ok());
  const std::vector<Rung> expected = {
      {.signal = SIGINT}, {.wait = absl::Seconds(90)}, {.signal = SIGQUIT}};
  EXPECT_EQ(*ladder, expected);
}

TEST(ParseLadder, NonsenseIsNamed) {
  EXPECT_THAT(std::string(ParseLadder({"TERM", "20"}).status().message()), HasSubstr("\"20\""));
  EXPECT_THAT(std::string(ParseLadder({"PLEASE"}).status().message()), HasSubstr("\"PLEASE\""));
}

}  // namespace
}  // namespace slipway::agent
