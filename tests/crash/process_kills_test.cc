// The real programs, killed at what they write: a rollout that goes back by itself, over and over,
// with the controller and both agents dying somewhere in each. A slice that moves on every day;
// SLIPWAY_KILLS=all goes through every operation of every process.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

#include "common/clock.h"
#include "tests/crash/killed_fleet.h"

namespace slipway::crash {
namespace {

// As many as two busy cores do in about three minutes; each has a kill of every process.
constexpr std::uint64_t kRolloutsOfASlice = 100;
constexpr std::uint64_t kKillsOfARollout = 3;
constexpr int kHows = 3;

std::uint64_t FromEnvironment(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr || *text == '\0' ? otherwise : std::strtoull(text, nullptr, 10);
}

bool WantsAll() {
  const char* const wanted = std::getenv("SLIPWAY_KILLS");
  return wanted != nullptr && std::string_view(wanted) == "all";
}

std::string Describe(const std::vector<PlannedKill>& kills) {
  static constexpr const char* kHow[] = {"before", "within", "after"};
  std::string text;
  for (const PlannedKill& kill : kills) {
    text += kill.process + " " + kHow[static_cast<int>(kill.how)] + " operation " +
            std::to_string(kill.operation) + " and again after " +
            std::to_string(kill.again_after) + "; ";
  }
  return text;
}

// The day since 1970, so that every day has another slice and a failure can be repeated.
std::uint64_t Seed() {
  const absl::Time now = SystemClock().Now();
  return FromEnvironment("SLIPWAY_KILL_SEED",
                         static_cast<std::uint64_t>(absl::ToUnixSeconds(now) / 86400));
}

class ProcessKills : public testing::Test {
 protected:
  void SetUp() override {
    std::cout << "SLIPWAY_KILL_SEED=" << seed_ << "\n" << std::flush;
    ASSERT_EQ(fleet_.Start(), "");
    ASSERT_EQ(fleet_.Roll({}), "");
    for (const std::string& process : KilledFleet::processes()) {
      operations_[process] = fleet_.OperationsOf(process);
      std::cout << process << ": " << operations_[process] << " operations in a rollout\n";
      ASSERT_GT(operations_[process], 20U);
    }
  }

  // Every process dies once at its operation number `point`, modulo how many it has; every fourth
  // one again while it recovers.
  std::vector<PlannedKill> KillsAt(std::uint64_t point) {
    std::vector<PlannedKill> kills;
    std::uint64_t stride = 1;
    for (const std::string& process : KilledFleet::processes()) {
      const std::uint64_t at = point * stride;
      PlannedKill kill{process, 1 + at / kHows % operations_[process],
                       static_cast<How>(at % kHows)};
      if (at % 4 == 0) kill.again_after = 1 + at / 4 % 30;
      kills.push_back(kill);
      stride += 6;
    }
    return kills;
  }

  const std::uint64_t seed_ = WantsAll() ? 0 : Seed();
  KilledFleet fleet_;
  std::map<std::string, std::uint64_t> operations_;
};

TEST_F(ProcessKills, RolloutsGoBackWhoeverDiesWhereverItWrites) {
  std::uint64_t most = 0;
  for (const auto& [process, operations] : operations_) most = std::max(most, operations * kHows);
  const std::uint64_t rollouts =
      WantsAll() ? most : FromEnvironment("SLIPWAY_KILL_ROLLOUTS", kRolloutsOfASlice);
  // A rollout may be over before somebody's operation is reached: others take its place.
  const std::uint64_t kills_wanted = kKillsOfARollout * rollouts;
  std::uint64_t i = 0;
  for (; i < rollouts || (fleet_.kills() < kills_wanted && i < 2 * rollouts); ++i) {
    // Neighbours of a slice lie far apart.
    const std::uint64_t point = WantsAll() ? i : (seed_ * rollouts + i) * 7919;
    const std::vector<PlannedKill> kills = KillsAt(point);
    ASSERT_EQ(fleet_.Roll(kills), "") << "rollout " << i << ": " << Describe(kills);
  }
  std::cout << i << " rollouts, " << fleet_.kills() << " kills\n";
  EXPECT_GE(fleet_.kills(), kills_wanted);
  EXPECT_EQ(fleet_.JudgeJournals(), "");
}

}  // namespace
}  // namespace slipway::crash
