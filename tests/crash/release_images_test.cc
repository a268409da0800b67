// Crash images of the release store: the real store on a disk that loses, tears and reorders what
// was not synced, crash after crash on the same disk.
#include <gtest/gtest.h>

#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>

#include "agent/releases/fake_content_source.h"
#include "agent/releases/host_releases.h"
#include "common/fs/test_directory.h"
#include "common/log.h"
#include "tests/crash/recorded_disk.h"

namespace slipway::agent {
namespace {

using crash::RecordedDisk;

constexpr std::uint64_t kDisks = 300;
constexpr int kCrashes = 20;  // of each disk
constexpr int kReleases = 5;

class ReleaseImages : public testing::Test {
 protected:
  // What somebody was told is durable.
  struct Told {
    std::set<std::string> staged, healthy;
    std::string current;
    std::map<std::string, FileState> before;  // by rollout
  };

  static void SetUpTestSuite() { log::Init("images", log::Level::error); }

  ReleaseImages() {
    for (int i = 0; i < kReleases; ++i) {
      const std::string n = std::to_string(i);
      digests_.push_back(content_.AddRelease(
          n + ".0", {{"backend/bin/media", "program " + n, 0755},
                     {"backend/config/file", "configuration " + std::to_string(i / 2)},
                     {"backend/lib/common", std::string(5000, 'x')},
                     {"hooks/smoke", "hook " + n, 0755}}));
    }
  }

  void Begin(std::uint64_t seed) {
    random_.seed(seed);
    told_ = {};
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
      std::filesystem::remove_all(entry.path());
    }
    disk_.emplace(folder_.path(), seed);
    std::filesystem::create_directory(app());
    std::filesystem::create_directory(folder_ / "state");
    disk_->SyncedAll(app());
    disk_->SyncedAll(folder_ / "state");
  }

  std::string app() const { return folder_ / "app"; }
  const std::string& AnyRelease() { return digests_[random_() % digests_.size()]; }

  // What was told holds, but for what the call in which the process died may have changed.
  void Judge(HostReleases& store) {
    const auto current = store.CurrentDigest(app());
    ASSERT_TRUE(current.ok()) << current.status();
    ASSERT_TRUE(*current == told_.current || (turning_ && *current == *turning_))
        << "current is " << *current;
    told_.current = *current;
    for (const std::string& digest : digests_) {
      const bool staged = store.IsStaged(app(), digest);
      const bool collected = staging_ && digest != *current;
      ASSERT_TRUE(staged || collected || told_.staged.count(digest) == 0) << digest << " is gone";
      if (!staged) continue;
      const absl::Status whole = store.VerifyTree(app(), digest);
      ASSERT_TRUE(whole.ok()) << whole;
      ASSERT_TRUE(told_.healthy.count(digest) == 0 || store.RanHealthily(app(), digest));
    }
    for (const auto& [rollout, state] : told_.before) {
      const auto before = store.Before(app(), rollout, "/etc/media.toml");
      ASSERT_TRUE(before.ok()) << before.status();
      ASSERT_EQ(*before, state);
    }
    Look(store);
  }

  // What is there now is what is durable.
  void Look(const HostReleases& store) {
    told_.staged.clear();
    told_.healthy.clear();
    for (const std::string& digest : digests_) {
      if (store.IsStaged(app(), digest)) told_.staged.insert(digest);
      if (store.RanHealthily(app(), digest)) told_.healthy.insert(digest);
    }
    turning_.reset();
    staging_ = false;
  }

  // False: the call failed, which only a dead process is allowed.
  bool Call(HostReleases& store) {
    const std::string digest = AnyRelease();
    const std::string rollout = "ro-" + std::to_string(random_() % 5);
    switch (random_() % 6) {
      case 0:
      case 1:
        staging_ = true;
        if (!store.Stage({app(), digest, "backend", rollout, 2}, content_, {}).ok()) return false;
        EXPECT_TRUE(store.IsStaged(app(), digest));
        break;
      case 2:
        if (!store.IsStaged(app(), digest)) return true;
        turning_ = digest;
        if (!store.SwitchTo(app(), digest).ok()) return false;
        told_.current = digest;
        break;
      case 3:
        if (!store.IsStaged(app(), digest)) return true;
        if (!store.MarkHealthy(app(), digest).ok()) return false;
        break;
      case 4: {
        const FileState state{true, "before " + rollout, 0, 0, 0640};
        if (!store.RememberBefore(app(), rollout, "/etc/media.toml", state).ok()) return false;
        told_.before[rollout] = state;
        break;
      }
      default:
        if (!store.ReleasePins(rollout).ok()) return false;
        if (!store.CachedFile(digest, "hooks/smoke", content_).ok()) return false;
    }
    Look(store);
    return true;
  }

  TestDirectory folder_;
  FakeContentSource content_;
  std::vector<std::string> digests_;
  std::mt19937_64 random_;
  std::optional<RecordedDisk> disk_;
  Told told_;
  std::optional<std::string> turning_;  // `current`, perhaps
  bool staging_ = false;                // and so perhaps collecting
};

TEST_F(ReleaseImages, WhatWasToldSurvivesAndIsWhole) {
  std::uint64_t forgot = 0;
  for (std::uint64_t seed = 0; seed < kDisks && !HasFatalFailure(); ++seed) {
    SCOPED_TRACE("disk " + std::to_string(seed));
    Begin(seed);
    for (int crash = 0; crash < kCrashes && !HasFatalFailure(); ++crash) {
      SCOPED_TRACE("crash " + std::to_string(crash));
      disk_->CrashAfter(random_() % 80, static_cast<RecordedDisk::Crash>(random_() % 3));
      const auto store = HostReleases::Open(folder_ / "state");
      ASSERT_TRUE(store.ok() || disk_->crashed()) << store.status();
      if (store.ok()) Judge(**store);
      for (int i = 0; store.ok() && !HasFatalFailure() && !disk_->crashed(); ++i) {
        ASSERT_LT(i, 1000);
        ASSERT_TRUE(Call(**store) || disk_->crashed());
      }
      disk_->Restart(random_() % 3 != 0);
    }
    forgot += disk_->forgot();
    disk_.reset();
  }
  std::cout << kDisks * kCrashes << " crashes, " << forgot << " forgot something\n";
  EXPECT_GT(forgot, kDisks * kCrashes / 20);
}

}  // namespace
}  // namespace slipway::agent
