// Crash images of the controller's database: the real journal and SQLite on a disk that loses and
// tears whatever was not synced, crash after crash on the same disk.
#include <gtest/gtest.h>

#include <iostream>
#include <random>

#include "common/log.h"
#include "tests/sim/journal_store.h"

namespace slipway::sim {
namespace {

constexpr int kDisks = 200;
constexpr int kCrashes = 25;  // of each disk

// What somebody was told is durable, of one rollout.
struct Told {
  std::vector<std::string> records;
  std::vector<std::string> perhaps;  // of the append in which the process died
};

class JournalImages : public testing::Test {
 protected:
  static void SetUpTestSuite() { log::Init("images", log::Level::error); }

  // Every rollout holds what was told, and behind it all of the last append or nothing.
  static void Judge(controller::Journal& journal, std::map<RolloutId, Told>& told) {
    for (auto& [rollout, known] : told) {
      const auto records = journal.Read(rollout, 1);
      ASSERT_TRUE(records.ok()) << records.status();
      ASSERT_GE(records->size(), known.records.size()) << rollout.text;
      for (std::size_t i = 0; i < known.records.size(); ++i) {
        ASSERT_EQ((*records)[i].bytes, known.records[i]) << rollout.text << " " << i;
      }
      const std::size_t more = records->size() - known.records.size();
      ASSERT_TRUE(more == 0 || more == known.perhaps.size()) << rollout.text << " " << more;
      for (std::size_t i = 0; i < more; ++i) {
        ASSERT_EQ((*records)[known.records.size() + i].bytes, known.perhaps[i]);
      }
      if (more > 0) {
        known.records.insert(known.records.end(), known.perhaps.begin(), known.perhaps.end());
      }
      known.perhaps.clear();
    }
  }

  // Appends to three rollouts until the disk crashes.
  static void Work(SqliteStore& store, controller::Journal& journal, std::mt19937_64& random,
                   std::map<RolloutId, Told>& told) {
    for (int i = 0; !store.crashed() && i < 1000; ++i) {
      const RolloutId rollout{"ro-" + std::to_string(random() % 3)};
      auto lease = journal.Acquire(rollout);
      if (!lease.ok()) continue;
      for (std::uint64_t n = 0; n < 1 + random() % 4; ++n) {
        const std::size_t size = random() % 8 == 0 ? 20'000 : 300;
        const std::vector<std::string> records(1 + random() % 3,
                                               std::string(size, static_cast<char>(random())));
        if (journal.Append(rollout, *lease, records).ok()) {
          Told& known = told[rollout];
          known.records.insert(known.records.end(), records.begin(), records.end());
          continue;
        }
        told[rollout].perhaps = records;
        break;
      }
    }
  }
};

TEST_F(JournalImages, WhatWasToldSurvivesAndDamageIsNeverSuspected) {
  std::uint64_t torn = 0;
  for (std::uint64_t seed = 0; seed < kDisks && !HasFatalFailure(); ++seed) {
    SCOPED_TRACE("disk " + std::to_string(seed));
    std::mt19937_64 random(seed);
    SqliteStore store(seed);
    std::map<RolloutId, Told> told;
    for (int crash = 0; crash < kCrashes && !HasFatalFailure(); ++crash) {
      SCOPED_TRACE("crash " + std::to_string(crash));
      store.disk()->CrashAfter(random() % 60, static_cast<JournalDisk::Crash>(random() % 3));
      const auto journal = store.Open();
      if (!journal.ok()) {
        ASSERT_TRUE(store.crashed()) << journal.status();
      } else {
        Judge(**journal, told);
        if (!HasFatalFailure()) Work(store, **journal, random, told);
      }
      store.Close(random() % 4 != 0);
    }
    torn += store.disk()->torn();
  }
  std::cout << kDisks * kCrashes << " crashes, " << torn << " lost something that was written\n";
  EXPECT_GT(torn, kDisks * kCrashes / 20);
}

}  // namespace
}  // namespace slipway::sim
