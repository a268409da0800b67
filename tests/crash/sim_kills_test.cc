// Every durable operation of the reference rollout, of the controller's database and of each
// agent's log, x {before, torn, after} x {the process dies, its machine loses power}; and again at
// every operation of the recovery. In the simulator: real cores, runners, agent log, SQLite.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <string>

#include "common/log.h"
#include "tests/sim/reference.h"

namespace slipway::sim {
namespace {

using How = Kill::How;

std::string Describe(const std::deque<Kill>& kills) {
  static constexpr const char* kHow[] = {"before", "within", "before the sync of", "after"};
  std::string text;
  for (const Kill& kill : kills) {
    const bool controller = kill.host == Kill::kController;
    text += (controller ? std::string("controller") : "web-" + std::to_string(kill.host + 1)) +
            " died " + kHow[static_cast<int>(kill.how)] + " operation " +
            std::to_string(kill.operation) + (kill.power_cut ? " with its machine; " : "; ");
  }
  return text;
}

class QuietLog final : public testing::Environment {
 public:
  void SetUp() override { log::Init("sim", log::Level::error); }
};
const testing::Environment* const kQuietLog =
    testing::AddGlobalTestEnvironment(new QuietLog);  // GoogleTest owns it

class SimKills : public testing::Test {
 protected:
  // Runs it and counts. False: something is wrong, and the test has failed.
  bool Run(const std::deque<Kill>& kills) {
    const Reference reference = RunReference(kills);
    ++runs_;
    kills_ += kills.size() - reference.kills_left;
    if (!reference.violation) return true;
    ADD_FAILURE() << Describe(kills) << reference.violation->invariant << ": "
                  << reference.violation->text;
    return false;
  }
  void Print(const char* what) const {
    std::cout << what << ": " << runs_ << " rollouts, " << kills_ << " kills\n";
  }

  std::uint64_t runs_ = 0, kills_ = 0;
};

TEST_F(SimKills, WithoutKillsTheReferenceRolloutGoesBackByItself) {
  const Reference reference = RunReference({});
  ASSERT_FALSE(reference.violation) << reference.violation->text;
  EXPECT_GT(reference.controller_operations, 200U);
  for (const std::uint64_t writes : reference.agent_writes) EXPECT_GT(writes, 20U);
}

TEST_F(SimKills, EveryOperationOfTheControllersDatabase) {
  const std::uint64_t operations = RunReference({}).controller_operations;
  for (std::uint64_t operation = 0; operation < operations; ++operation) {
    for (const How how : {How::before, How::torn, How::after}) {
      for (const bool power_cut : {false, true}) {
        ASSERT_TRUE(Run({{Kill::kController, operation, how, power_cut}}));
      }
    }
  }
  Print("controller");
  EXPECT_EQ(kills_, runs_);
}

TEST_F(SimKills, EveryWriteOfEachAgentsLog) {
  const std::vector<std::uint64_t> writes = RunReference({}).agent_writes;
  for (std::size_t host = 0; host < writes.size(); ++host) {
    for (std::uint64_t write = 0; write < writes[host]; ++write) {
      for (const How how : {How::before, How::torn, How::unsynced, How::after}) {
        for (const bool power_cut : {false, true}) {
          ASSERT_TRUE(Run({{static_cast<int>(host), write, how, power_cut}}));
        }
      }
    }
  }
  Print("agents");
  EXPECT_EQ(kills_, runs_);
}

// What a process does to the disk from its start until it goes on as before.
constexpr std::uint64_t kRecovery = 30;
// Every so many first kills are followed by a second one at each operation of the recovery; a
// number without common factors with what repeats in a rollout. SLIPWAY_KILLS=all: each of them.
std::uint64_t Stride() {
  const char* wanted = std::getenv("SLIPWAY_KILLS");
  return wanted != nullptr && std::string_view(wanted) == "all" ? 1 : 11;
}

TEST_F(SimKills, TheControllersRecoveryIsKilledToo) {
  const std::uint64_t operations = RunReference({}).controller_operations;
  for (std::uint64_t first = 0; first < operations; first += Stride()) {
    for (std::uint64_t second = 0; second < kRecovery; ++second) {
      for (const How how : {How::before, How::torn, How::after}) {
        const Kill before{Kill::kController, first, How::torn, true};
        ASSERT_TRUE(Run({before, {Kill::kController, second, how, true}}));
        ASSERT_TRUE(Run({before, {Kill::kController, second, how, false}}));
      }
    }
  }
  Print("controller, twice");
  EXPECT_GT(kills_, runs_ + runs_ / 2);
}

TEST_F(SimKills, AnAgentsRecoveryIsKilledToo) {
  const std::vector<std::uint64_t> writes = RunReference({}).agent_writes;
  for (std::size_t host = 0; host < writes.size(); ++host) {
    for (std::uint64_t first = 0; first < writes[host]; ++first) {
      for (std::uint64_t second = 0; second < 4; ++second) {
        for (const How how : {How::before, How::torn, How::unsynced, How::after}) {
          const int who = static_cast<int>(host);
          ASSERT_TRUE(
              Run({{who, first, How::unsynced, true}, {who, second, how, second % 2 == 0}}));
        }
      }
    }
  }
  Print("agents, twice");
  EXPECT_GT(kills_, runs_ + runs_ / 2);
}

// The controller dies, and while it is away or recovers, an agent does too.
TEST_F(SimKills, BothSidesDie) {
  const Reference plain = RunReference({});
  for (std::uint64_t first = 5; first < plain.controller_operations; first += 7) {
    for (std::uint64_t second = 0; second < 6; ++second) {
      const int host = static_cast<int>((first + second) % kReferenceHosts);
      ASSERT_TRUE(Run({{Kill::kController, first, How::torn, second % 2 == 0},
                       {host, second, How::unsynced, false}}));
    }
  }
  Print("both");
}

}  // namespace
}  // namespace slipway::sim
