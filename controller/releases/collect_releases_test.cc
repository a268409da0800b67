#include "controller/releases/collect_releases.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "common/artifact/manifest.h"
#include "common/artifact/memory_object_store.h"
#include "common/manual_clock.h"
#include "controller/registry/memory_store.h"
#include "slipway/v1/action.pb.h"

namespace slipway::controller {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class CollectReleasesTest : public testing::Test {
 protected:
  // A release with a file of its own and one that all have; each is newer than the one before.
  std::string Push(const std::string& name, const std::string& version) {
    clock_.Advance(absl::Hours(1));
    v1::Release definition;
    definition.set_name(name);
    definition.set_version(version);
    Manifest manifest{name, version, definition.SerializeAsString(), {}};
    for (const auto& [path, content] :
         {std::pair<std::string, std::string>{"own", name + version}, {"shared", kShared}}) {
      const Digest digest = Digest::Of(content);
      EXPECT_TRUE(PutObject(objects_, content).ok());
      manifest.files.push_back({path, 0644, content.size(), digest, {{digest, content.size()}}});
    }
    const auto made = releases_.Create(*EncodeManifest(manifest), "lena");
    EXPECT_TRUE(made.ok()) << made.status();
    return made.ok() ? made->record.digest : "";
  }
  CollectedReleases Collect(const ReleasesInUse& in_use, std::size_t keep, bool dry_run = false) {
    const MutexLock lock(releases_.changing());
    auto judged = CollectReleases(releases_, database_.registry(), in_use, keep, dry_run);
    EXPECT_TRUE(judged.ok()) << judged.status();
    return judged.ok() ? *judged : CollectedReleases();
  }
  static std::vector<std::string> Names(const std::vector<JudgedRelease>& judged) {
    std::vector<std::string> names;
    for (const JudgedRelease& one : judged) {
      names.push_back(one.release.name + "@" + one.release.version);
    }
    return names;
  }
  bool Has(const std::string& content) { return *objects_.Has(Digest::Of(content)); }

  const std::string kShared = "the same in all";
  ManualClock clock_;
  MemoryObjectStore objects_;
  MemoryStore database_;
  ReleaseStore releases_{objects_, database_.registry(), clock_};
};

TEST_F(CollectReleasesTest, NewestOfEachNameStay) {
  for (const char* version : {"1", "2", "3"}) Push("shop", version);
  Push("blog", "1");
  const CollectedReleases judged = Collect({}, 2);
  EXPECT_THAT(Names(judged.removed), ElementsAre("shop@1"));
  EXPECT_THAT(Names(judged.kept), ElementsAre("blog@1", "shop@3", "shop@2"));
  EXPECT_FALSE(releases_.Get("shop@1").ok());
  EXPECT_TRUE(releases_.Get("shop@2").ok());
  EXPECT_THAT(Collect({}, 2).removed, IsEmpty()) << "nothing is left to do";
}

TEST_F(CollectReleasesTest, WhatIsInUseStaysHoweverOld) {
  const std::string old = Push("shop", "1");
  for (const char* version : {"2", "3"}) Push("shop", version);
  const CollectedReleases judged = Collect({{old, "is on web-1"}}, 1);
  EXPECT_THAT(Names(judged.removed), ElementsAre("shop@2"));
  ASSERT_EQ(judged.kept.size(), 2u);
  EXPECT_EQ(judged.kept[0].why, "is the newest");
  EXPECT_EQ(judged.kept[1].why, "is on web-1");
}

TEST_F(CollectReleasesTest, ContentGoesWithTheLastReleaseThatHasIt) {
  const std::string old = Push("shop", "1");
  Push("shop", "2");
  const std::uint64_t manifest = *objects_.Size(*Digest::Parse(old));
  const CollectedReleases judged = Collect({}, 1);
  EXPECT_EQ(judged.freed_bytes, std::string("shop1").size() + manifest);
  EXPECT_FALSE(Has("shop1"));
  EXPECT_FALSE(*objects_.Has(*Digest::Parse(old))) << "its manifest";
  EXPECT_TRUE(Has("shop2"));
  EXPECT_TRUE(Has(kShared));
  EXPECT_NE(Push("shop", "1"), "") << "it may come again";
}

TEST_F(CollectReleasesTest, DryRunSaysTheSameAndChangesNothing) {
  for (const char* version : {"1", "2", "3"}) Push("shop", version);
  const CollectedReleases would = Collect({}, 1, true);
  EXPECT_TRUE(releases_.Get("shop@1").ok());
  EXPECT_TRUE(Has("shop1"));
  const CollectedReleases does = Collect({}, 1);
  EXPECT_EQ(would.removed, does.removed);
  EXPECT_EQ(would.kept, does.kept);
  EXPECT_EQ(would.freed_bytes, does.freed_bytes);
}

TEST_F(CollectReleasesTest, NothingGoesWhileNobodyKnowsWhatAKeptReleaseHas) {
  Push("shop", "1");
  const std::string newest = Push("shop", "2");
  ASSERT_TRUE(objects_.Remove(*Digest::Parse(newest)).ok());
  const MutexLock lock(releases_.changing());
  EXPECT_FALSE(CollectReleases(releases_, database_.registry(), {}, 1, false).ok());
  EXPECT_TRUE(releases_.Get("shop@1").ok());
  EXPECT_TRUE(Has("shop1"));
}

TEST_F(CollectReleasesTest, WhatIsPushedMeanwhileIsWhole) {
  std::thread pusher([this] {
    for (int version = 1; version <= 50; ++version) Push("shop", std::to_string(version));
  });
  for (int round = 0; round < 50; ++round) Collect({}, 1);
  pusher.join();
  EXPECT_EQ(Names(Collect({}, 1).kept), std::vector<std::string>{"shop@50"});
  EXPECT_TRUE(Has("shop50"));
  EXPECT_TRUE(Has(kShared));
}

TEST_F(CollectReleasesTest, DamagedReleaseLosesItsName) {
  const std::string old = Push("shop", "1");
  Push("shop", "2");
  ASSERT_TRUE(objects_.Remove(*Digest::Parse(old)).ok());
  EXPECT_THAT(Names(Collect({}, 1).removed), ElementsAre("shop@1"));
  EXPECT_EQ(database_.registry().ListReleases()->size(), 1u);
  EXPECT_TRUE(Has("shop2"));
}

}  // namespace
}  // namespace slipway::controller
