// What every object store promises; the memory store, which tests lean on, included.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "common/artifact/directory_object_store.h"
#include "common/artifact/memory_object_store.h"
#include "common/fs/test_directory.h"

namespace slipway {
namespace {

struct Backend {
  const char* name;
  std::unique_ptr<ObjectStore> (*open)(const std::string& root);
};

class ObjectStoreConformance : public testing::TestWithParam<Backend> {
 protected:
  absl::Status Put(const Digest& digest, const std::string& bytes) {
    const auto writer = store_->Put(digest, bytes.size(), 0);
    if (!writer.ok()) return writer.status();
    const absl::Status appended = (*writer)->Append(bytes);
    return appended.ok() ? (*writer)->Finish() : appended;
  }

  TestDirectory home_;
  std::unique_ptr<ObjectStore> store_ = GetParam().open(home_ / "store");
};

TEST_P(ObjectStoreConformance, ContentComesBackFromAnyOffset) {
  const std::string bytes(1'500'000, 'x');
  const Digest digest = Digest::Of(bytes);
  EXPECT_FALSE(*store_->Has(digest));
  ASSERT_TRUE(PutObject(*store_, bytes).ok());
  ASSERT_TRUE(PutObject(*store_, bytes).ok());
  EXPECT_TRUE(*store_->Has(digest));
  EXPECT_EQ(*store_->Size(digest), bytes.size());
  EXPECT_EQ(*store_->Held(digest), 0u);
  EXPECT_TRUE(*ReadObject(*store_, digest, bytes.size()) == bytes);
  EXPECT_EQ(ReadObject(*store_, digest, 10).status().code(), absl::StatusCode::kResourceExhausted);
  for (const std::uint64_t offset :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1'499'999}, std::uint64_t{1'500'000}}) {
    std::uint64_t got = 0;
    ASSERT_TRUE(store_
                    ->Get(digest, offset,
                          [&](std::string_view piece) {
                            got += piece.size();
                            return absl::OkStatus();
                          })
                    .ok());
    EXPECT_EQ(got, bytes.size() - offset);
  }
  const auto take = [](std::string_view) { return absl::OkStatus(); };
  EXPECT_EQ(store_->Get(digest, bytes.size() + 1, take).code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(store_->Get(Digest::Of("none"), 0, take).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(store_->Size(Digest::Of("none")).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(
      store_->Get(digest, 0, [](std::string_view) { return absl::CancelledError("x"); }).code(),
      absl::StatusCode::kCancelled);
}

TEST_P(ObjectStoreConformance, EmptyContentIsContent) {
  ASSERT_TRUE(PutObject(*store_, "").ok());
  EXPECT_EQ(*ReadObject(*store_, Digest::Of(""), 0), "");
}

TEST_P(ObjectStoreConformance, RemovedContentMayComeAgain) {
  const Digest digest = Digest::Of("abc");
  EXPECT_TRUE(store_->Remove(digest).ok()) << "what is not there";
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(PutObject(*store_, "abc").ok());
    ASSERT_TRUE(PutObject(*store_, "abcd").ok());
    ASSERT_TRUE(store_->Remove(digest).ok());
    EXPECT_FALSE(*store_->Has(digest));
    EXPECT_EQ(*ReadObject(*store_, Digest::Of("abcd"), 9), "abcd");
  }
}

TEST_P(ObjectStoreConformance, WrongContentIsNotKept) {
  const Digest digest = Digest::Of("right");
  EXPECT_EQ(Put(digest, "wrong").code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(Put(digest, "righ").code(), absl::StatusCode::kDataLoss);
  EXPECT_FALSE(*store_->Has(digest));
  EXPECT_EQ(*store_->Held(digest), 0u);
  const auto writer = *store_->Put(digest, 5, 0);
  EXPECT_EQ(writer->Append("right and more").code(), absl::StatusCode::kInvalidArgument);
  ASSERT_TRUE(writer->Append("right").ok());
  EXPECT_TRUE(writer->Finish().ok());
  EXPECT_TRUE(*store_->Has(digest));
}

TEST_P(ObjectStoreConformance, BrokenPutIsResumedAtWhatIsHeld) {
  const Digest digest = Digest::Of("left right");
  {
    const auto writer = *store_->Put(digest, 10, 0);
    ASSERT_TRUE(writer->Append("left ").ok());
  }
  EXPECT_FALSE(*store_->Has(digest));
  EXPECT_EQ(*store_->Held(digest), 5u);
  EXPECT_EQ(store_->Put(digest, 10, 4).status().code(), absl::StatusCode::kFailedPrecondition);
  const auto writer = *store_->Put(digest, 10, 5);
  EXPECT_EQ(writer->size(), 5u);
  ASSERT_TRUE(writer->Append("right").ok());
  ASSERT_TRUE(writer->Finish().ok());
  EXPECT_EQ(*ReadObject(*store_, digest, 10), "left right");
  EXPECT_EQ(*store_->Held(digest), 0u);
}

TEST_P(ObjectStoreConformance, BeginningAgainForgetsWhatWasHeld) {
  const Digest digest = Digest::Of("content");
  {
    const auto writer = *store_->Put(digest, 7, 0);
    ASSERT_TRUE(writer->Append("wrong").ok());
  }
  ASSERT_TRUE(Put(digest, "content").ok());
  EXPECT_EQ(*ReadObject(*store_, digest, 7), "content");
}

TEST_P(ObjectStoreConformance, SeveralPutsOfOneObjectAllSucceed) {
  const std::string bytes(20'000, 'y');
  const Digest digest = Digest::Of(bytes);
  std::atomic<int> succeeded{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 16; ++t) {
    threads.emplace_back([&] {
      const auto writer = store_->Put(digest, bytes.size(), 0);
      if (!writer.ok()) return;
      for (std::size_t at = 0; at < bytes.size(); at += 1'000) {
        if (!(*writer)->Append(std::string_view(bytes).substr(at, 1'000)).ok()) return;
      }
      if ((*writer)->Finish().ok()) ++succeeded;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(succeeded, 16);
  EXPECT_TRUE(*ReadObject(*store_, digest, bytes.size()) == bytes);
}

INSTANTIATE_TEST_SUITE_P(
    All, ObjectStoreConformance,
    testing::Values(Backend{"memory",
                            [](const std::string&) -> std::unique_ptr<ObjectStore> {
                              return std::make_unique<MemoryObjectStore>();
                            }},
                    Backend{"directory",
                            [](const std::string& root) -> std::unique_ptr<ObjectStore> {
                              return *DirectoryObjectStore::Open(root);
                            }}),
    [](const auto& info) { return info.param.name; });

TEST(DirectoryObjectStore, SurvivesARestartAndKeepsOnlyWhatCanBeResumed) {
  TestDirectory home;
  const Digest digest = Digest::Of("left right");
  {
    const auto store = *DirectoryObjectStore::Open(home / "store");
    ASSERT_TRUE(PutObject(*store, "whole").ok());
    const auto writer = *store->Put(digest, 10, 0);
    ASSERT_TRUE(writer->Append("left ").ok());
  }
  home.Write("store/partial/" + digest.Hex() + ".7", "private");
  const auto store = *DirectoryObjectStore::Open(home / "store");
  EXPECT_TRUE(*store->Has(Digest::Of("whole")));
  EXPECT_EQ(*store->Held(digest), 5u);
  EXPECT_FALSE(home.Has("store/partial/" + digest.Hex() + ".7"));
  EXPECT_EQ(home.Read("store/objects/" + Digest::Of("whole").Hex().substr(0, 2) + "/" +
                      Digest::Of("whole").Hex().substr(2)),
            "whole");
}

TEST(DirectoryObjectStore, PartDamagedOnDiskIsFoundAndGivenUp) {
  TestDirectory home;
  const auto store = *DirectoryObjectStore::Open(home / "store");
  const Digest digest = Digest::Of("left right");
  home.Write("store/partial/" + digest.Hex(), "LEFT ");
  const auto writer = *store->Put(digest, 10, 5);
  ASSERT_TRUE(writer->Append("right").ok());
  EXPECT_EQ(writer->Finish().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(*store->Held(digest), 0u);
}

}  // namespace
}  // namespace slipway
