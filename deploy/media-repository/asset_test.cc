#include "deploy/media-repository/asset.h"

#include <set>

#include "gtest/gtest.h"

namespace media {
namespace {

TEST(Asset, OnlyTypesThatABrowserDoesNotRunAreTaken) {
  EXPECT_EQ(KindOfContentType("image/png"), Kind::image);
  EXPECT_EQ(KindOfContentType("video/mp4"), Kind::video);
  for (const char* type : {"", "image/svg+xml", "text/html", "image/", "IMAGE/PNG", "image/png "}) {
    EXPECT_FALSE(KindOfContentType(type).has_value()) << type;
  }
}

TEST(Asset, KindsAreReadBackFromTheirNames) {
  for (const Kind kind : {Kind::image, Kind::video}) EXPECT_EQ(KindFromName(KindName(kind)), kind);
  EXPECT_FALSE(KindFromName("audio").has_value());
}

TEST(Asset, NewIdsAreValidAndDiffer) {
  std::set<std::string> ids;
  for (int i = 0; i < 100; ++i) ids.insert(NewId());
  EXPECT_EQ(ids.size(), 100u);
  for (const std::string& id : ids) EXPECT_TRUE(IsId(id)) << id;
}

TEST(Asset, NothingThatLeavesTheDirectoryIsAnId) {
  const std::string good(32, 'a');
  EXPECT_TRUE(IsId(good));
  for (const std::string& bad :
       {std::string(), std::string(31, 'a'), good + "a", "../" + std::string(29, 'a'),
        std::string(32, 'A'), std::string(31, 'a') + "/", std::string(31, 'a') + '\0'}) {
    EXPECT_FALSE(IsId(bad)) << bad;
  }
}

TEST(Asset, TitlesAreWellFormedUtf8WithoutControlCharacters) {
  EXPECT_TRUE(IsTitle("Sunset over Köln 日本 🌄"));
  EXPECT_TRUE(IsTitle(std::string(kTitleBytesMax, 'x')));
  EXPECT_FALSE(IsTitle(""));
  EXPECT_FALSE(IsTitle(std::string(kTitleBytesMax + 1, 'x')));
  EXPECT_FALSE(IsTitle("two\nlines"));
  EXPECT_FALSE(IsTitle("\x7F"));
}

TEST(Asset, TitlesWithMalformedUtf8AreRefused) {
  for (const char* bad : {"\x80", "\xC0\xAF", "\xC3", "\xE0\x80\x80", "\xED\xA0\x80",
                          "\xF4\x90\x80\x80", "\xF8\x88\x80\x80", "ok\xFF"}) {
    EXPECT_FALSE(IsTitle(bad));
  }
}

TEST(Asset, TimesAreWrittenInUtcWithMilliseconds) {
  EXPECT_EQ(FormatTime(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(FormatTime(1'767'225'599'007), "2025-12-31T23:59:59.007Z");
}

}  // namespace
}  // namespace media
