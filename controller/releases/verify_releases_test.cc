#include "controller/releases/verify_releases.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "common/artifact/directory_object_store.h"
#include "common/artifact/manifest.h"

namespace slipway::controller {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class VerifyReleasesTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/slipway-verify-XXXXXX";
    root_ = mkdtemp(name);
    auto opened = DirectoryObjectStore::Open(root_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    objects_ = *std::move(opened);
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  ReleaseRecord Push(const std::string& version, const std::string& own) {
    Manifest manifest{"shop", version, "", {}};
    for (const auto& [path, content] :
         {std::pair<std::string, std::string>{"own", own}, {"shared", "the same in all"}}) {
      const Digest digest = Digest::Of(content);
      EXPECT_TRUE(PutObject(*objects_, content).ok());
      manifest.files.push_back({path, 0644, content.size(), digest, {{digest, content.size()}}});
    }
    const std::string bytes = *EncodeManifest(manifest);
    EXPECT_TRUE(PutObject(*objects_, bytes).ok());
    return {"shop", version, Digest::Of(bytes).ToString(), 0, "lena", absl::UnixEpoch()};
  }
  std::string PathOf(const Digest& digest) const {
    return root_ + "/objects/" + digest.Hex().substr(0, 2) + "/" + digest.Hex().substr(2);
  }
  std::vector<ReleaseCheck> Verify(const std::vector<ReleaseRecord>& releases) {
    std::vector<ReleaseCheck> checks;
    EXPECT_TRUE(VerifyReleases(*objects_, releases, [&](const ReleaseCheck& check) {
                  checks.push_back(check);
                  return absl::OkStatus();
                }).ok());
    return checks;
  }

  std::string root_;
  std::unique_ptr<DirectoryObjectStore> objects_;
};

TEST_F(VerifyReleasesTest, SoundContentIsReadOnce) {
  const auto checks = Verify({Push("1", "one"), Push("2", "two")});
  ASSERT_THAT(checks, SizeIs(2));
  EXPECT_THAT(checks[0].damaged, IsEmpty());
  EXPECT_THAT(checks[1].damaged, IsEmpty());
  EXPECT_EQ(checks[0].bytes_read - checks[1].bytes_read, std::string("the same in all").size());
}

TEST_F(VerifyReleasesTest, ChangedAndMissingContentIsNamedInEachReleaseThatHasIt) {
  const std::vector<ReleaseRecord> releases = {Push("1", "one"), Push("2", "two")};
  const Digest shared = Digest::Of("the same in all"), own = Digest::Of("two");
  std::filesystem::permissions(PathOf(shared), std::filesystem::perms::owner_all);
  std::ofstream(PathOf(shared)) << "the same in alm";
  ASSERT_TRUE(std::filesystem::remove(PathOf(own)));
  const auto checks = Verify(releases);
  ASSERT_THAT(checks, SizeIs(2));
  const DamagedContent changed{"shared", shared.ToString(),
                               "was changed: it has " + Digest::Of("the same in alm").ToString()};
  EXPECT_THAT(checks[0].damaged, ElementsAre(changed));
  EXPECT_THAT(checks[1].damaged,
              ElementsAre(DamagedContent{"own", own.ToString(), "is missing"}, changed));
}

TEST_F(VerifyReleasesTest, DamagedManifestIsDamageOfItsReleaseOnly) {
  const std::vector<ReleaseRecord> releases = {Push("1", "one"), Push("2", "two")};
  ASSERT_TRUE(std::filesystem::remove(PathOf(*Digest::Parse(releases[0].digest))));
  const auto checks = Verify(releases);
  ASSERT_THAT(checks, SizeIs(2));
  EXPECT_THAT(checks[0].damaged, ElementsAre(DamagedContent{"", releases[0].digest, "is missing"}));
  EXPECT_THAT(checks[1].damaged, IsEmpty());
}

TEST_F(VerifyReleasesTest, WhoLeavesIsNotReadTo) {
  int asked = 0;
  const absl::Status status =
      VerifyReleases(*objects_, {Push("1", "one"), Push("2", "two")}, [&](const ReleaseCheck&) {
        ++asked;
        return absl::CancelledError("gone");
      });
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(asked, 1);
}

}  // namespace
}  // namespace slipway::controller
