#include "common/backoff.h"

#include <gtest/gtest.h>

namespace slipway {
namespace {

TEST(Backoff, LongestWaitDoublesUpToTheCap) {
  const struct {
    int attempt;
    absl::Duration longest;
  } table[] = {{0, absl::Milliseconds(200)}, {1, absl::Milliseconds(400)},
               {2, absl::Milliseconds(800)}, {7, absl::Milliseconds(25600)},
               {8, absl::Seconds(30)},       {1'000'000, absl::Seconds(30)}};
  for (const auto& row : table) {
    EXPECT_EQ(FullJitter({}, row.attempt, 1.0), row.longest) << row.attempt;
    EXPECT_EQ(FullJitter({}, row.attempt, 0.5), row.longest / 2) << row.attempt;
    EXPECT_EQ(FullJitter({}, row.attempt, 0.0), absl::ZeroDuration()) << row.attempt;
  }
}

}  // namespace
}  // namespace slipway
