#include "controller/rpc/refusal_log.h"

#include <gtest/gtest.h>

#include "common/manual_clock.h"

namespace slipway::controller {
namespace {

TEST(RefusalLog, HostThatCallsAgainAndAgainGetsALineAMinuteWithTheCount) {
  ManualClock clock;
  RefusalLog log(clock);
  EXPECT_EQ(log.Refused("web-1"), 0u);
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(log.Refused("web-1"));
  EXPECT_EQ(log.Refused("web-2"), 0u) << "each host has a line of its own";
  clock.Advance(RefusalLog::kEvery);
  EXPECT_EQ(log.Refused("web-1"), 1000u);
  EXPECT_FALSE(log.Refused("web-1"));
  clock.Advance(RefusalLog::kEvery);
  EXPECT_EQ(log.Refused("web-1"), 1u);
}

TEST(RefusalLog, RemembersNoMoreCallersThanItMay) {
  ManualClock clock;
  RefusalLog log(clock, 2);
  EXPECT_EQ(log.Refused("quiet"), 0u);
  EXPECT_EQ(log.Refused("loud"), 0u);
  EXPECT_FALSE(log.Refused("loud"));
  clock.Advance(RefusalLog::kEvery);
  EXPECT_EQ(log.Refused("new"), 0u) << "in the place of the quiet one";
  EXPECT_EQ(log.Refused("loud"), 1u) << "its count was kept";
  EXPECT_EQ(log.Refused("newer"), 0u) << "all are recent: all are forgotten";
  EXPECT_EQ(log.Refused("new"), 0u);
}

}  // namespace
}  // namespace slipway::controller
