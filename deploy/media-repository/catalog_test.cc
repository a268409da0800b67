#include "deploy/media-repository/catalog.h"

#include <stdlib.h>

#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace media {
namespace {

using ::testing::HasSubstr;

class CatalogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = absl::StrCat(::testing::TempDir(), "catalog.XXXXXX");
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string Path() const { return directory_ + "/data/media.db"; }

  std::unique_ptr<Catalog> Open() {
    absl::StatusOr<std::unique_ptr<Catalog>> catalog = Catalog::Open(Path());
    EXPECT_TRUE(catalog.ok()) << catalog.status();
    return catalog.ok() ? *std::move(catalog) : nullptr;
  }

  // An asset whose id and age follow from `number`.
  static Asset MakeAsset(Kind kind, int number) {
    return {.kind = kind,
            .id = absl::StrCat(absl::Dec(number, absl::kZeroPad16), "0123456789abcdef"),
            .title = absl::StrCat("title ", number),
            .content_type = kind == Kind::image ? "image/png" : "video/mp4",
            .bytes = number,
            .sha256 = absl::StrCat("digest ", number),
            .created_ms = 1000 + number};
  }

  std::string directory_;
};

TEST_F(CatalogTest, WhatOneInstanceStoresAnotherOneFinds) {
  const auto first = Open();
  const auto second = Open();
  const Asset asset = MakeAsset(Kind::video, 1);
  ASSERT_TRUE(first->Add(asset, "").ok());
  EXPECT_EQ(second->Find({Kind::image, Kind::video}, asset.id).value(), asset);
  EXPECT_EQ(second->Find({Kind::image}, asset.id).value(), std::nullopt);
}

TEST_F(CatalogTest, ARepeatedKeyGivesTheFirstAssetFromEitherInstance) {
  const auto first = Open();
  const auto second = Open();
  const Asset asset = MakeAsset(Kind::image, 1);
  ASSERT_TRUE(first->Add(asset, "key").ok());
  Asset again = asset;
  again.id = MakeAsset(Kind::image, 2).id;
  again.created_ms = 5000;
  const absl::StatusOr<Catalog::Added> repeated = second->Add(again, "key");
  ASSERT_TRUE(repeated.ok()) << repeated.status();
  EXPECT_TRUE(repeated->repeated);
  EXPECT_EQ(repeated->asset, asset);
  EXPECT_EQ(second->Find({Kind::image}, again.id).value(), std::nullopt);
}

TEST_F(CatalogTest, AKeyOfAnotherUploadIsRefused) {
  const auto catalog = Open();
  ASSERT_TRUE(catalog->Add(MakeAsset(Kind::image, 1), "key").ok());
  EXPECT_EQ(catalog->Add(MakeAsset(Kind::image, 2), "key").status().code(),
            absl::StatusCode::kAlreadyExists);
}

TEST_F(CatalogTest, UploadsWithoutAKeyAreAllStored) {
  const auto catalog = Open();
  ASSERT_TRUE(catalog->Add(MakeAsset(Kind::image, 1), "").ok());
  ASSERT_TRUE(catalog->Add(MakeAsset(Kind::image, 2), "").ok());
  EXPECT_EQ(catalog->List({Kind::image}, std::nullopt, 10).value().size(), 2u);
}

TEST_F(CatalogTest, PagesShowBothKindsNewestFirstWithoutGapOrRepeat) {
  const auto catalog = Open();
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(catalog->Add(MakeAsset(i % 3 == 0 ? Kind::video : Kind::image, i), "").ok());
  }
  std::vector<std::int64_t> seen;
  std::optional<Catalog::Position> after;
  while (true) {
    const auto page = catalog->List({Kind::image, Kind::video}, after, 3);
    ASSERT_TRUE(page.ok()) << page.status();
    if (page->empty()) break;
    for (const Asset& asset : *page) {
      seen.push_back(asset.bytes);
      EXPECT_EQ(asset.kind, asset.bytes % 3 == 0 ? Kind::video : Kind::image);
    }
    after = {.created_ms = page->back().created_ms, .id = page->back().id};
  }
  EXPECT_THAT(seen, ::testing::ElementsAre(9, 8, 7, 6, 5, 4, 3, 2, 1, 0));
}

TEST_F(CatalogTest, ARemovedAssetIsGoneAndRemovingItAgainSaysSo) {
  const auto catalog = Open();
  const Asset asset = MakeAsset(Kind::video, 1);
  ASSERT_TRUE(catalog->Add(asset, "").ok());
  EXPECT_FALSE(catalog->Remove({Kind::image}, asset.id).value());
  EXPECT_TRUE(catalog->Remove({Kind::image, Kind::video}, asset.id).value());
  EXPECT_FALSE(catalog->Remove({Kind::image, Kind::video}, asset.id).value());
  EXPECT_EQ(Open()->Find({Kind::video}, asset.id).value(), std::nullopt);
}

TEST_F(CatalogTest, ASchemaOfAnotherTimeIsRefusedByItsNumber) {
  ASSERT_NE(Open(), nullptr);
  {
    const auto db = sqlite::Open(Path(), 1000);
    ASSERT_TRUE(db.ok());
    ASSERT_TRUE(sqlite::Execute(db->get(), "PRAGMA user_version = 7").ok());
  }
  const absl::Status refused = Catalog::Open(Path()).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("schema 7, this release runs on 1 to 1"));
}

TEST_F(CatalogTest, AFileThatIsNoDatabaseIsRefused) {
  std::filesystem::create_directories(Path());
  const absl::Status refused = Catalog::Open(Path()).status();
  EXPECT_THAT(std::string(refused.message()), HasSubstr("cannot open database"));
}

}  // namespace
}  // namespace media
