// Crash images of the agent's log: the real log on a file that loses and tears what was not
// synced, crash after crash on the same disk.
#include <gtest/gtest.h>

#include <iostream>
#include <random>
#include <string>

#include "agent/state/command_log.h"
#include "agent/state/fake_log_file.h"

namespace slipway::agent {
namespace {

constexpr std::uint64_t kDisks = 1000;
constexpr int kCrashes = 25;  // of each disk

class LogImages : public testing::Test {
 protected:
  // Of all sizes around those of a sector and a page.
  std::vector<Record> RandomRecords() {
    std::vector<Record> records;
    for (std::uint64_t i = 0; i < 1 + random_() % 3; ++i) {
      const std::size_t size = random_() % (random_() % 8 == 0 ? 9000 : 700);
      records.emplace_back(Closed{RolloutId{std::to_string(++made_) + std::string(size, 'x')}});
    }
    return records;
  }

  // All that was told, and behind it all of the last write or nothing; or what stood in its place.
  void Judge(const std::vector<Record>& found) {
    if (rewriting_ && found == *rewriting_) told_ = found;
    std::vector<Record> more = told_;
    more.insert(more.end(), perhaps_.begin(), perhaps_.end());
    ASSERT_TRUE(found == told_ || found == more) << found.size() << " records";
    told_ = found;
    perhaps_.clear();
    rewriting_.reset();
  }

  // Appends, and now and then puts something shorter in the place of all, until the disk crashes.
  void Work(CommandLog& log, const FakeLogFile& disk) {
    for (int i = 0; i < 1000 && !disk.crashed(); ++i) {
      if (random_() % 6 == 0) {
        rewriting_ = RandomRecords();
        if (!log.Rewrite(*rewriting_).ok()) return;
        told_ = *rewriting_;
        rewriting_.reset();
      } else {
        perhaps_ = RandomRecords();
        if (!log.Append(perhaps_, CommandLog::Need::must).ok()) return;
        told_.insert(told_.end(), perhaps_.begin(), perhaps_.end());
      }
      perhaps_.clear();
    }
  }

  std::mt19937_64 random_;
  std::uint64_t made_ = 0;
  std::vector<Record> told_, perhaps_;
  std::optional<std::vector<Record>> rewriting_;
};

TEST_F(LogImages, WhatWasToldSurvivesAndDamageIsNeverSuspected) {
  std::uint64_t torn = 0;
  for (std::uint64_t seed = 0; seed < kDisks && !HasFatalFailure(); ++seed) {
    SCOPED_TRACE("disk " + std::to_string(seed));
    random_.seed(seed);
    told_.clear();
    FakeLogFile disk(seed);
    for (int crash = 0; crash < kCrashes && !HasFatalFailure(); ++crash) {
      SCOPED_TRACE("crash " + std::to_string(crash));
      disk.CrashAfter(random_() % 8, static_cast<FakeLogFile::Crash>(random_() % 4));
      const auto log = CommandLog::Open(disk);
      if (log.ok()) {
        const auto found = (*log)->Replay();
        ASSERT_TRUE(found.ok()) << found.status();
        Judge(*found);
        if (!HasFatalFailure()) Work(**log, disk);
      } else {
        ASSERT_TRUE(disk.crashed()) << log.status();
      }
      disk.Restart(random_() % 4 != 0);
    }
    torn += disk.torn();
  }
  std::cout << kDisks * kCrashes << " crashes, " << torn << " with something unsynced\n";
  EXPECT_GT(torn, kDisks * kCrashes / 20);
}

}  // namespace
}  // namespace slipway::agent
