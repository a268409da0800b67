// The simulator's campaign. SLIPWAY_SIM_SEED=N repeats one run exactly; SLIPWAY_SIM_ROLLOUTS=N
// makes the campaign longer or shorter; SLIPWAY_SIM_DAY=N has the fresh seeds of another day.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <optional>

#include "common/clock.h"
#include "common/log.h"
#include "tests/sim/simulation.h"

namespace slipway::sim {
namespace {

constexpr int kRolloutsDefault = 20'000;
// So many for each day since 1970. The first million are the same every day.
constexpr std::uint64_t kSeedsOfADay = 1'000'000;

// Thousands of disks fail in a campaign, and the database says so each time.
class QuietLog final : public testing::Environment {
 public:
  void SetUp() override { log::Init("sim", log::Level::error); }
};
const testing::Environment* const kQuietLog =
    testing::AddGlobalTestEnvironment(new QuietLog);  // GoogleTest owns it

std::optional<std::uint64_t> FromEnvironment(const char* name) {
  const char* text = std::getenv(name);
  if (text == nullptr || *text == '\0') return std::nullopt;
  return std::strtoull(text, nullptr, 10);
}

std::string HowToRepeat(const Report& report) {
  return "seed " + std::to_string(report.seed) + ": " + report.violation->invariant + ": " +
         report.violation->text + "\nrepeat with SLIPWAY_SIM_SEED=" + std::to_string(report.seed);
}

std::uint64_t Today() {
  return static_cast<std::uint64_t>(absl::ToUnixSeconds(SystemClock().Now()) / 86'400);
}

// Half of the campaign runs fixed seeds, so that a change is judged by the same runs; the other
// half runs those of the day, so that each day tries what was never tried.
class Campaign {
 public:
  Campaign(int rollouts, std::uint64_t day) : rollouts_(rollouts), fresh_(day * kSeedsOfADay) {
    std::cout << "SLIPWAY_SIM_DAY=" << day << "\n" << std::flush;
  }

  void Run() {
    const absl::Duration begin = SystemClock().Monotonic();
    for (std::uint64_t i = 0; done_ < rollouts_; ++i) {
      const Report report = Simulate(i % 2 == 0 ? i / 2 : fresh_ + i / 2);
      coverage_.Add(report.coverage);
      pairs_.Add(report.pairs);
      on_disk_ += report.on_disk ? 1 : 0;
      simulated_ += report.simulated;
      done_ += report.rollouts;
      steps_ += report.steps;
      ++runs_;
      ASSERT_FALSE(report.violation) << HowToRepeat(report);
    }
    took_ = absl::ToDoubleSeconds(SystemClock().Monotonic() - begin);
  }

  void Print() const {
    const double simulated = absl::ToDoubleSeconds(simulated_);
    std::cout << runs_ << " runs, " << done_ << " rollouts, " << steps_ << " events, "
              << simulated / 86400 << " simulated days in " << took_ << " s: " << simulated / took_
              << " times real time\nfresh seeds from " << fresh_ << "\nrare paths:\n"
              << Table(coverage_) << pairs_.Table() << "rarest pair: " << pairs_.Rarest() << "\n"
              << on_disk_ << " runs had SQLite on a simulated disk under the controller\n";
  }
  double Speed() const { return absl::ToDoubleSeconds(simulated_) / took_; }
  const Coverage& coverage() const { return coverage_; }
  const Pairs& pairs() const { return pairs_; }

 private:
  const int rollouts_;
  const std::uint64_t fresh_;
  Coverage coverage_;
  Pairs pairs_;
  int on_disk_ = 0;
  absl::Duration simulated_;
  int done_ = 0, runs_ = 0;
  std::uint64_t steps_ = 0;
  double took_ = 0;
};

TEST(SimTest, InvariantsHoldInAnyWeatherAndEveryRarePathIsTaken) {
  if (const auto seed = FromEnvironment("SLIPWAY_SIM_SEED")) {
    const Report report = Simulate(*seed);
    std::cout << Table(report.coverage);
    ASSERT_FALSE(report.violation) << HowToRepeat(report);
    return;
  }
  const auto rollouts = FromEnvironment("SLIPWAY_SIM_ROLLOUTS");
  Campaign campaign(rollouts ? static_cast<int>(*rollouts) : kRolloutsDefault,
                    FromEnvironment("SLIPWAY_SIM_DAY").value_or(Today()));
  campaign.Run();
  campaign.Print();
  for (std::size_t i = 0; i < kRareCount && !HasFatalFailure(); ++i) {
    const Rare rare = static_cast<Rare>(i);
    EXPECT_GT(campaign.coverage().hits(rare), 0U) << NameOf(rare) << " was never seen";
  }
  EXPECT_THAT(campaign.pairs().Missing(), testing::IsEmpty());
}

TEST(SimTest, PairThatNeverMetIsMissed) {
  Pairs pairs;
  const absl::Time begin = absl::FromUnixSeconds(0);
  const std::size_t all = pairs.Missing().size();
  pairs.Strike(Fault::agent_killed, Moment::gate, begin);
  pairs.Strike(Fault::partitioned, Moment::gate, begin + Pairs::kTogether);
  EXPECT_EQ(pairs.met(Fault::agent_killed, Fault::partitioned), 1U);
  EXPECT_EQ(pairs.met(Fault::partitioned, Fault::agent_killed), 0U) << "the order counts";
  EXPECT_EQ(pairs.Missing().size(), all - 3);  // one pair, and a moment for each fault
  pairs.Strike(Fault::agent_slow, Moment::gate, begin + 3 * Pairs::kTogether);
  EXPECT_EQ(pairs.met(Fault::partitioned, Fault::agent_slow), 0U) << "long over";
}

TEST(SimTest, OneSeedIsOneRun) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const Report once = Simulate(seed), again = Simulate(seed);
    EXPECT_EQ(once.steps, again.steps) << "seed " << seed;
    EXPECT_EQ(once.simulated, again.simulated) << "seed " << seed;
    EXPECT_EQ(Table(once.coverage), Table(again.coverage)) << "seed " << seed;
  }
}

}  // namespace
}  // namespace slipway::sim
