#include "tools/slipway/output.h"

#include <gtest/gtest.h>

namespace slipway::cli {
namespace {

TEST(OutputTest, DurationsNeedAUnit) {
  EXPECT_EQ(ParseDuration("90s").value(), absl::Seconds(90));
  EXPECT_EQ(ParseDuration("1h30m").value(), absl::Minutes(90));
  for (const char* text : {"90", "", "-5s", "soon", "1.5"})
    EXPECT_FALSE(ParseDuration(text).ok()) << text;
}

TEST(OutputTest, TimesAreShownInTwoUnitsAtTheMost) {
  EXPECT_EQ(Took(absl::Milliseconds(310)), "310 ms");
  EXPECT_EQ(Took(absl::Milliseconds(9940)), "9.9 s");
  EXPECT_EQ(Took(absl::Seconds(59.6)), "1 min 0 s");
  EXPECT_EQ(Took(absl::Seconds(291)), "4 min 51 s");
  EXPECT_EQ(Took(absl::Hours(51)), "2 d 3 h");
  const absl::Time now = absl::FromUnixSeconds(1'000'000);
  EXPECT_EQ(Ago(now - absl::Minutes(4), now), "4 min ago");
  EXPECT_EQ(Ago(now, now), "just now");
}

TEST(OutputTest, SizesAndDigestsAreShort) {
  EXPECT_EQ(Bytes(512), "512 B");
  EXPECT_EQ(Bytes(43'830'000), "41.8 MiB");
  EXPECT_EQ(Short("sha256:9f2c07e1aabbccdd"), "9f2c07e1");
  EXPECT_EQ(Short("unproven"), "unproven");
}

}  // namespace
}  // namespace slipway::cli
