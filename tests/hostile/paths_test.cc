// Each path of testdata/paths.txt at every door that takes one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/artifact/manifest.h"
#include "common/fs/directory.h"
#include "common/fs/test_directory.h"
#include "tests/hostile/table.h"

namespace slipway {
namespace {

using test::Row;
using test::Shown;

std::vector<Row> Paths() {
  return test::ReadTable("paths.txt");
}

// The bytes of a manifest with one empty file, as a hostile publisher would write them: with the
// path as it is, and a tree digest that fits where one can be had.
std::string HandWritten(const std::string& path) {
  const FileEntry file{path, 0644, 0, Digest::Of(""), {}};
  return absl::StrCat("slipway-manifest 1\nname app\nversion 1\ntree ",
                      TreeDigest({file}).ToString(), "\nrelease 0\n\nfiles 1\nfile 0644 0 ",
                      Digest::Of("").ToString(), " ", path, "\nend\n");
}

// Everything below `root`, with content and targets of links.
std::string Census(const std::string& root) {
  std::vector<std::string> lines;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    std::string line = entry.path().string();
    if (entry.is_symlink()) line += " -> " + std::filesystem::read_symlink(entry.path()).string();
    if (entry.is_regular_file()) line += absl::StrCat(" ", entry.file_size());
    lines.push_back(line);
  }
  std::sort(lines.begin(), lines.end());
  std::string text;
  for (const std::string& line : lines) absl::StrAppend(&text, line, "\n");
  return text;
}

TEST(HostilePaths, TableIsAsLongAsPromised) {
  EXPECT_GE(Paths().size(), 250u);
}

TEST(HostilePaths, ValidationAgreesWithTheTable) {
  for (const Row& row : Paths()) {
    ASSERT_TRUE(row.verdict == "refused" || row.verdict == "accepted") << Shown(row);
    const absl::Status status = ValidatePath(row.rest);
    EXPECT_EQ(status.ok(), row.verdict == "accepted") << Shown(row) << ": " << status;
    if (status.ok()) continue;
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << Shown(row);
    // The message itself is harmless and bounded.
    EXPECT_LT(status.message().size(), 1200u) << Shown(row);
    for (const char c : std::string(status.message())) EXPECT_GE(c & 0xff, 0x20) << Shown(row);
  }
}

TEST(HostilePaths, ManifestsAreWrittenAndReadOnlyWithAcceptedPaths) {
  for (const Row& row : Paths()) {
    const bool accepted = row.verdict == "accepted";
    const FileEntry file{row.rest, 0644, 0, Digest::Of(""), {}};
    EXPECT_EQ(EncodeManifest({"app", "1", "", {file}}).ok(), accepted) << Shown(row);
    const auto parsed = ParseManifest(HandWritten(row.rest));
    EXPECT_EQ(parsed.ok(), accepted) << Shown(row) << ": " << parsed.status();
    if (parsed.ok()) {
      EXPECT_EQ(parsed->files.at(0).path, row.rest) << Shown(row);
    }
  }
}

// Where somebody passed a path by without asking: the kernel keeps it below the root.
TEST(HostilePaths, NoPathLeadsOutOfADirectory) {
  setenv("TEST_TMPDIR", "/dev/shm", 1);  // a disk would sync a thousand times
  for (const Row& row : Paths()) {
    if (row.verdict != "refused") continue;
    const TestDirectory home;
    home.Write("outside/keep", "me");
    home.Write("etc/passwd", "me too");
    home.Write("inside/seed", "mine");
    const std::string before = Census(home / "outside") + Census(home / "etc");
    const auto dir = Directory::Open(home / "inside");
    ASSERT_TRUE(dir.ok()) << dir.status();
    const std::string& path = row.rest;
    (void)dir->CreateFile(path, 0644);
    (void)dir->OpenForAppend(path, 0644);
    (void)dir->WriteAtomically(path, "hostile", {});
    (void)dir->MakeBelow(path, 0755);
    (void)dir->PointLink(path, "../outside");
    (void)dir->Link("seed", *dir, path);
    (void)dir->Rename("seed", path);
    (void)dir->Rename(path, "stolen");
    EXPECT_FALSE(home.Has("inside/stolen/keep")) << Shown(row);
    (void)dir->RemoveFile(path);
    (void)dir->RemoveTree(path);
    EXPECT_EQ(Census(home / "outside") + Census(home / "etc"), before) << Shown(row);
    int entries = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(home.path())) {
      ++entries;
    }
    EXPECT_EQ(entries, 3) << Shown(row);
  }
  unsetenv("TEST_TMPDIR");
}

}  // namespace
}  // namespace slipway
