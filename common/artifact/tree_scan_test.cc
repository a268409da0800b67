#include "common/artifact/tree_scan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "common/artifact/limits.h"
#include "common/fs/test_directory.h"

namespace slipway {
namespace {

using testing::HasSubstr;

absl::StatusOr<std::vector<FileEntry>> Scanned(const TestDirectory& home) {
  const auto root = Directory::Open(home.path());
  EXPECT_TRUE(root.ok()) << root.status();
  return ScanTree(*root);
}

TEST(TreeScan, FilesComeSortedByTheirFullPaths) {
  TestDirectory home;
  home.Write("a/x", "2");
  home.Write("a-b", "1");
  home.Write("a/bin/run", "3");
  ASSERT_EQ(::chmod((home / "a/bin/run").c_str(), 0750), 0);
  std::filesystem::create_directory(home / "empty");
  const auto files = Scanned(home);
  ASSERT_TRUE(files.ok()) << files.status();
  ASSERT_EQ(files->size(), 3u);
  EXPECT_EQ((*files)[0].path, "a-b");
  EXPECT_EQ((*files)[1].path, "a/bin/run");
  EXPECT_EQ((*files)[1].mode, 0755u);
  EXPECT_EQ((*files)[1].digest, Digest::Of("3"));
  EXPECT_EQ((*files)[2].path, "a/x");
  EXPECT_EQ((*files)[2].mode, 0644u);
}

TEST(TreeScan, FileThatIsLongerThanAnyMayBeIsRefusedUnread) {
  const TestDirectory home;
  std::filesystem::resize_file(home.Write("sparse", ""), kFileBytesMax + 1);
  const auto files = Scanned(home);
  EXPECT_EQ(files.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(files.status().message()), HasSubstr("sparse has 17179869185 bytes"));
}

TEST(TreeScan, EverythingThatIsNoPlainFileIsRefusedByName) {
  const auto refusal = [](const std::function<void(const TestDirectory&)>& plant) {
    TestDirectory home;
    home.Write("ok", "x");
    plant(home);
    const auto files = Scanned(home);
    EXPECT_EQ(files.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(files.status().message());
  };
  EXPECT_THAT(refusal([](const TestDirectory& d) {
                std::filesystem::create_symlink("/etc/passwd", d / "d-link");
              }),
              testing::AllOf(HasSubstr("d-link"), HasSubstr("symbolic link")));
  EXPECT_THAT(refusal([](const TestDirectory& d) { ::mkfifo((d / "pipe").c_str(), 0600); }),
              HasSubstr("pipe"));
  EXPECT_THAT(refusal([](const TestDirectory& d) { ::chmod((d / "ok").c_str(), 04755); }),
              HasSubstr("setuid"));
  EXPECT_THAT(refusal([](const TestDirectory& d) { d.Write("a\nb", "x"); }),
              HasSubstr("control character"));
  EXPECT_THAT(refusal([](const TestDirectory& d) { d.Write("a\\b", "x"); }),
              HasSubstr("backslash"));
}

}  // namespace
}  // namespace slipway
