#include "common/fs/directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "common/fs/test_directory.h"

namespace slipway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class DirectoryTest : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = Directory::Open(home_.path());
    ASSERT_TRUE(opened.ok()) << opened.status();
    dir_.emplace(*std::move(opened));
    outside_.Write("secret", "secret");
  }
  const Directory& dir() const { return *dir_; }

  TestDirectory home_;
  TestDirectory outside_;
  std::optional<Directory> dir_;
};

TEST_F(DirectoryTest, WrittenFilesAreReadBackWithTheirMode) {
  ASSERT_TRUE(dir().WriteAtomically("a", "one", {.mode = 0640}).ok());
  ASSERT_TRUE(dir().WriteAtomically("a", "two", {.mode = 0755}).ok());
  EXPECT_EQ(*dir().Read("a", 100), "two");
  EXPECT_EQ(dir().Stat("a")->mode, 0755u);
  EXPECT_THAT(*dir().List(), ElementsAre("a"));
}

TEST_F(DirectoryTest, LeftoversOfACrashedWriteAreOverwritten) {
  home_.Write(".a.slipway-new", "torn");
  ASSERT_TRUE(dir().WriteAtomically("a", "whole", {}).ok());
  EXPECT_THAT(*dir().List(), ElementsAre("a"));
}

TEST_F(DirectoryTest, ReadingIsBounded) {
  home_.Write("big", std::string(11, 'x'));
  EXPECT_EQ(dir().Read("big", 10).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(dir().Read("big", 11)->size(), 11u);
}

TEST_F(DirectoryTest, NoNameLeadsOutOfTheRoot) {
  for (const std::string name : {"../x", "..", ".", "", "/etc/passwd", "a/../../x", "a//b", "a/"}) {
    EXPECT_EQ(dir().Read(name, 10).status().code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_FALSE(dir().WriteAtomically(name, "x", {}).ok()) << name;
    EXPECT_FALSE(dir().RemoveTree(name).ok()) << name;
    EXPECT_FALSE(dir().MakeBelow(name, 0755).ok()) << name;
    EXPECT_FALSE(dir().Rename(name, "b").ok()) << name;
    EXPECT_FALSE(dir().PointLink(name, "b").ok()) << name;
  }
}

TEST_F(DirectoryTest, SymbolicLinksAreNeverFollowed) {
  std::filesystem::create_directory_symlink(outside_.path(), home_ / "door");
  std::filesystem::create_symlink(outside_ / "secret", home_ / "file");
  EXPECT_EQ(dir().Read("door/secret", 10).status().code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(dir().Read("file", 10).status().code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(dir().Below("door").status().code(), absl::StatusCode::kPermissionDenied);
  EXPECT_FALSE(dir().WriteAtomically("door/secret", "x", {}).ok());
  EXPECT_FALSE(dir().CreateFile("door/new", 0644).ok());
  EXPECT_FALSE(dir().MakeBelow("door/new", 0755).ok());
  EXPECT_FALSE(dir().RemoveFile("door/secret").ok());
  EXPECT_EQ(outside_.Read("secret"), "secret");

  // Writing to the name of a link replaces the link, not what it names.
  ASSERT_TRUE(dir().WriteAtomically("file", "mine", {}).ok());
  EXPECT_EQ(outside_.Read("secret"), "secret");
  EXPECT_EQ(dir().Stat("file")->kind, FileKind::regular);
}

TEST_F(DirectoryTest, RemovingATreeTakesLinksAndReadOnlyFoldersAndNothingElse) {
  home_.Write("tree/a/b/file", "x");
  std::filesystem::create_directory_symlink(outside_.path(), home_ / "tree/a/door");
  ASSERT_EQ(::chmod((home_ / "tree/a/b").c_str(), 0555), 0);
  ASSERT_EQ(::chmod((home_ / "tree/a").c_str(), 0555), 0);
  ASSERT_TRUE(dir().RemoveTree("tree").ok());
  EXPECT_FALSE(home_.Has("tree"));
  EXPECT_TRUE(outside_.Has("secret"));
  EXPECT_TRUE(dir().RemoveTree("tree").ok()) << "absent is fine";
  EXPECT_TRUE(dir().RemoveFile("tree").ok()) << "absent is fine";
}

TEST_F(DirectoryTest, FoldersAreMadeOnTheWay) {
  const auto made = dir().MakeBelow("a/b/c", 0750);
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->path(), home_ / "a/b/c");
  EXPECT_EQ(dir().Stat("a/b")->mode, 0750u);
  EXPECT_TRUE(dir().MakeBelow("a/b/c", 0750).ok());
  home_.Write("plain", "");
  EXPECT_FALSE(dir().MakeBelow("plain/x", 0750).ok());
  const auto root = Directory::OpenOrMake(home_ / "x/y", 0700);
  ASSERT_TRUE(root.ok()) << root.status();
  EXPECT_EQ(dir().Stat("x/y")->mode, 0700u);
}

TEST_F(DirectoryTest, PointingALinkIsRepeatableAndReplacesOnlyLinks) {
  ASSERT_TRUE(dir().PointLink("current", "releases/1").ok());
  ASSERT_TRUE(dir().PointLink("current", "releases/2").ok());
  EXPECT_EQ(*dir().ReadLink("current"), "releases/2");
  EXPECT_THAT(*dir().List(), ElementsAre("current"));
  home_.Write("folder/file", "");
  EXPECT_EQ(dir().PointLink("folder", "x").code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(DirectoryTest, OnlyRegularFilesAreOpened) {
  ASSERT_EQ(::mkfifo((home_ / "fifo").c_str(), 0600), 0);
  EXPECT_EQ(dir().Read("fifo", 10).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(DirectoryTest, ErrorsNameThePath) {
  const auto missing = dir().Read("not/here", 10);
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(missing.status().message()), HasSubstr(home_ / "not/here"));
  home_.Write("there", "");
  EXPECT_EQ(dir().CreateFile("there", 0644).status().code(), absl::StatusCode::kAlreadyExists);
}

TEST_F(DirectoryTest, AnOpenDirectoryStaysItselfWhenItsNameIsTaken) {
  home_.Write("d/x", "mine");
  const auto open = dir().Below("d");
  ASSERT_TRUE(open.ok());
  ASSERT_TRUE(dir().Rename("d", "e").ok());
  std::filesystem::create_directory_symlink(outside_.path(), home_ / "d");
  EXPECT_EQ(*open->Read("x", 10), "mine");
  EXPECT_FALSE(*open->Exists("secret"));
}

TEST_F(DirectoryTest, LinkedFilesShareTheirContent) {
  home_.Write("a/file", "x");
  const auto b = dir().MakeBelow("b", 0755);
  ASSERT_TRUE(b.ok());
  ASSERT_TRUE(dir().Link("a/file", *b, "copy").ok());
  EXPECT_EQ(std::filesystem::hard_link_count(home_ / "b/copy"), 2u);
}

}  // namespace
}  // namespace slipway
