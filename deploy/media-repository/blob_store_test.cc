#include "deploy/media-repository/blob_store.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "deploy/media-repository/asset.h"
#include "gtest/gtest.h"

namespace media {
namespace {

constexpr int kHour = 3600;

class BlobStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = absl::StrCat(::testing::TempDir(), "blobs.XXXXXX");
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    absl::StatusOr<std::unique_ptr<BlobStore>> blobs = BlobStore::Open(directory_);
    ASSERT_TRUE(blobs.ok()) << blobs.status();
    blobs_ = *std::move(blobs);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::set<std::string> Files() const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_)) {
      if (entry.is_regular_file()) {
        names.insert(std::filesystem::relative(entry.path(), directory_));
      }
    }
    return names;
  }

  void Store(const std::string& id, const std::string& content) {
    const auto writer = blobs_->Begin();
    ASSERT_TRUE(writer.ok()) << writer.status();
    ASSERT_TRUE((*writer)->Append(content).ok());
    ASSERT_TRUE((*writer)->Publish(id).ok());
  }

  static void MakeOld(const std::string& path) {
    const timespec hours_ago = {.tv_sec = NowMillis() / 1000 - 2 * kHour, .tv_nsec = 0};
    const timespec times[] = {hours_ago, hours_ago};
    ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  }

  std::string directory_;
  std::unique_ptr<BlobStore> blobs_;
};

TEST_F(BlobStoreTest, PublishedBytesAreReadBack) {
  const std::string id = NewId();
  Store(id, "hello, world");
  const auto blob = blobs_->Read(id);
  ASSERT_TRUE(blob.ok()) << blob.status();
  EXPECT_EQ((*blob)->bytes(), 12);
  char buffer[8] = {};
  EXPECT_EQ((*blob)->Read(7, buffer, sizeof(buffer)), 5u);
  EXPECT_STREQ(buffer, "world");
}

TEST_F(BlobStoreTest, AnUploadIsInvisibleBeforeItIsPublished) {
  const std::string id = NewId();
  const auto writer = blobs_->Begin();
  ASSERT_TRUE((*writer)->Append("half").ok());
  EXPECT_EQ(blobs_->Read(id).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(BlobStoreTest, ADroppedUploadLeavesNothing) {
  {
    const auto writer = blobs_->Begin();
    ASSERT_TRUE((*writer)->Append("half").ok());
    EXPECT_EQ(Files().size(), 1u);
  }
  EXPECT_TRUE(Files().empty());
}

TEST_F(BlobStoreTest, TheDigestIsThatOfTheContent) {
  const auto writer = blobs_->Begin();
  ASSERT_TRUE((*writer)->Append("a").ok());
  ASSERT_TRUE((*writer)->Append("bc").ok());
  EXPECT_EQ((*writer)->bytes(), 3);
  EXPECT_EQ((*writer)->Sha256(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_F(BlobStoreTest, AnOpenBlobOutlivesItsRemoval) {
  const std::string id = NewId();
  Store(id, "content");
  const auto blob = blobs_->Read(id);
  ASSERT_TRUE(blobs_->Remove(id).ok());
  ASSERT_TRUE(blobs_->Remove(id).ok()) << "removing twice is fine";
  char buffer[8] = {};
  EXPECT_EQ((*blob)->Read(0, buffer, sizeof(buffer)), 7u);
  EXPECT_FALSE(blobs_->Read(id).ok());
}

TEST_F(BlobStoreTest, SweepRemovesWhatIsOldAndBelongsToNobody) {
  const std::string known = NewId();
  const std::string orphan = NewId();
  const std::string fresh_orphan = NewId();
  for (const std::string& id : {known, orphan, fresh_orphan}) Store(id, "content");
  const auto running = blobs_->Begin();
  const std::string unfinished = absl::StrCat(directory_, "/incoming/", NewId());
  std::filesystem::copy_file(absl::StrCat(directory_, "/", known), unfinished);
  MakeOld(unfinished);
  MakeOld(absl::StrCat(directory_, "/", known));
  MakeOld(absl::StrCat(directory_, "/", orphan));

  EXPECT_EQ(blobs_->Sweep(kHour, [&](const std::string& id) { return id == known; }), 2);

  EXPECT_TRUE(blobs_->Read(known).ok());
  EXPECT_TRUE(blobs_->Read(fresh_orphan).ok());
  EXPECT_FALSE(blobs_->Read(orphan).ok());
  EXPECT_TRUE((*running)->Publish(NewId()).ok()) << "an upload under way is not swept";
}

}  // namespace
}  // namespace media
