#include "common/plan/scalar_values.h"

#include <gtest/gtest.h>

namespace slipway::plan {
namespace {

TEST(Durations, CarryUnitsInFallingOrder) {
  EXPECT_EQ(ParseDuration("90s"), absl::Seconds(90));
  EXPECT_EQ(ParseDuration("1h30m"), absl::Minutes(90));
  EXPECT_EQ(ParseDuration("14d"), absl::Hours(14 * 24));
  EXPECT_EQ(ParseDuration("1m500ms"), absl::Milliseconds(60500));
  EXPECT_EQ(ParseDuration("0s"), absl::ZeroDuration());
  for (const char* bad : {"", "90", "s", "1.5h", "-1s", "30m1h", "1h1h", "90 s", "1H", "4000d",
                          "s1", "99999999999999999999s", "01s"}) {
    EXPECT_FALSE(ParseDuration(bad).has_value()) << bad;
  }
}

TEST(Durations, AreFormattedAsTheyAreRead) {
  for (const char* text : {"0s", "1s", "1m30s", "1h30m", "14d", "2d3h4m5s6ms", "250ms"}) {
    EXPECT_EQ(DurationText(*ParseDuration(text)), text);
  }
}

TEST(Sizes, CarryUnits) {
  EXPECT_EQ(ParseSize("5GiB"), 5ULL << 30);
  EXPECT_EQ(ParseSize("100kB"), 100'000U);
  EXPECT_EQ(ParseSize("0B"), 0U);
  for (const char* bad : {"", "5", "5G", "5 GiB", "5gib", "-1B", "99999999999999999TiB"}) {
    EXPECT_FALSE(ParseSize(bad).has_value()) << bad;
  }
}

TEST(Sizes, AreFormattedInTheLargestUnitThatDivides) {
  EXPECT_EQ(SizeText(5ULL << 30), "5GiB");
  EXPECT_EQ(SizeText(1536), "1536B");
  EXPECT_EQ(SizeText(0), "0B");
}

TEST(Shares, AreCountsOrPercent) {
  EXPECT_EQ(ParseShare("3")->count, 3U);
  EXPECT_EQ(ParseShare("25%")->percent, 25U);
  EXPECT_EQ(ParseShare("0")->count, 0U);
  for (const char* bad : {"", "%", "0%", "101%", "150%", "1.5", "-1", "25 %", "three"}) {
    EXPECT_FALSE(ParseShare(bad).has_value()) << bad;
  }
}

}  // namespace
}  // namespace slipway::plan
