// Each folder of testdata/trees.txt as a release: refused before anything else happens, or brought
// to a host as plain files. Memory stays bounded whatever stands there.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agent/releases/fake_content_source.h"
#include "agent/releases/host_releases.h"
#include "common/artifact/tree_scan.h"
#include "common/fs/test_directory.h"
#include "tests/hostile/bounded_child.h"
#include "tests/hostile/table.h"

namespace slipway {
namespace {

using test::Row;
using test::Shown;

constexpr std::uint64_t kMemoryMax = 128 << 20;

int Number(const std::string& text) {
  int number = 0;
  EXPECT_TRUE(absl::SimpleAtoi(text, &number)) << text;
  return number;
}

// A folder in which one hostile thing stands beside an ordinary file, and a neighbour of it that no
// business of ours may touch.
class Folder {
 public:
  Folder() {
    home_.Write("tree/file", "ordinary");
    home_.Write("outside/keep", "me");
    std::filesystem::create_directories(home_ / "tree/d/e/f");
  }
  // By our own hand: it copes with paths that are longer than the kernel takes at once.
  ~Folder() {
    const auto home = Directory::Open(home_.path());
    EXPECT_TRUE(home.ok() && home->RemoveTree("tree").ok());
  }

  void Plant(const std::vector<std::string>& words) {
    const std::string& kind = words.at(0);
    const std::string name = words.at(1);
    const std::string path = home_ / ("tree/" + name);
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    if (kind == "file") {
      Make(name, words.at(2));
    } else if (kind == "capable") {
      Capable(name);
    } else if (kind == "symlink") {
      std::filesystem::create_symlink(words.at(2), path);
    } else if (kind == "chain" || kind == "loop") {
      Chain(path, Number(words.at(2)), kind == "loop");
    } else if (kind == "fifo") {
      EXPECT_EQ(mkfifo(path.c_str(), 0644), 0);
    } else if (kind == "socket") {
      Listen(path);
    } else if (kind == "chardev" || kind == "blockdev") {
      Device(path, words.at(2), kind == "chardev" ? S_IFCHR : S_IFBLK);
    } else if (kind == "hardlink") {
      std::filesystem::create_hard_link(home_ / ("tree/" + words.at(2)), path);
    } else if (kind == "deep") {
      Deep(name, Number(words.at(2)));
    } else if (kind == "twins") {
      Make(name, "0644");
      Make(words.at(2), "0644");
    } else if (kind == "sparse") {
      Sparse(name, words.at(2));
    } else if (kind == "files") {
      Many(name, Number(words.at(2)));
    } else if (kind == "folders") {
      for (int i = 0; i < Number(words.at(2)); ++i) {
        std::filesystem::create_directories(absl::StrCat(path, "/", i));
      }
    } else {
      FAIL() << "no such kind: " << kind;
    }
  }

  std::string tree() const { return home_ / "tree"; }
  bool OutsideIsUntouched() const { return home_.Read("outside/keep") == "me"; }

 private:
  void Make(const std::string& name, const std::string& mode) {
    const std::string path = home_.Write("tree/" + name, "content");
    const auto bits = static_cast<mode_t>(std::stoul(mode, nullptr, 8));
    EXPECT_EQ(chmod(path.c_str(), bits), 0);
  }
  // A program with the capability to do anything, as a file attribute.
  void Capable(const std::string& name) {
    const std::string path = home_ / ("tree/" + name);
    const unsigned char everything[20] = {1, 0, 0, 2, 0xff, 0xff, 0xff, 0xff};
    EXPECT_EQ(setxattr(path.c_str(), "security.capability", everything, sizeof everything, 0), 0);
  }
  static void Chain(const std::string& path, int links, bool closed) {
    for (int i = 1; i < links; ++i) {
      std::filesystem::create_symlink(absl::StrCat(path, i),
                                      i == 1 ? path : path + std::to_string(i - 1));
    }
    const std::string last = path + std::to_string(links - 1);
    std::filesystem::create_symlink(closed ? path : "file", last);
  }
  static void Listen(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    ASSERT_LT(path.size(), sizeof address.sun_path);
    path.copy(address.sun_path, path.size());
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    close(fd);
  }
  static void Device(const std::string& path, const std::string& numbers, mode_t kind) {
    const std::vector<std::string> pair = absl::StrSplit(numbers, ',');
    EXPECT_EQ(mknod(path.c_str(), kind | 0644, makedev(Number(pair.at(0)), Number(pair.at(1)))), 0);
  }
  // A file below `depth` folders; longer than any path that the kernel takes at once.
  void Deep(const std::string& name, int depth) {
    int at = open(tree().c_str(), O_RDONLY | O_DIRECTORY);
    for (int i = 0; i < depth; ++i) {
      EXPECT_EQ(mkdirat(at, name.c_str(), 0755), 0);
      const int below = openat(at, name.c_str(), O_RDONLY | O_DIRECTORY);
      close(at);
      at = below;
    }
    close(openat(at, "leaf", O_CREAT | O_WRONLY, 0644));
    close(at);
  }
  void Sparse(const std::string& name, const std::string& size) {
    std::int64_t bytes = 0;
    EXPECT_TRUE(absl::SimpleAtoi(size, &bytes));
    const std::string path = home_.Write("tree/" + name, "");
    EXPECT_EQ(truncate(path.c_str(), bytes), 0) << size;
  }
  // Names of few files, since an inode costs more than a name.
  void Many(const std::string& name, int count) {
    std::filesystem::create_directories(tree() + "/" + name);
    const int folder = open((tree() + "/" + name).c_str(), O_RDONLY | O_DIRECTORY);
    constexpr int kLinksMax = 60'000;
    std::string first;
    for (int i = 0; i < count; ++i) {
      const std::string entry = std::to_string(i);
      if (i % kLinksMax == 0) {
        first = entry;
        close(openat(folder, first.c_str(), O_CREAT | O_WRONLY, 0644));
      } else {
        EXPECT_EQ(linkat(folder, first.c_str(), folder, entry.c_str(), 0), 0);
      }
    }
    close(folder);
  }

  TestDirectory home_;
};

class HostileTrees : public testing::Test {
 protected:
  // In memory: a disk's file system knows no file of a petabyte, and a million names take minutes.
  static void SetUpTestSuite() { setenv("TEST_TMPDIR", "/dev/shm", 1); }
  static void TearDownTestSuite() { unsetenv("TEST_TMPDIR"); }
};

// "ok" or the refusal.
std::string Scan(const std::string& path) {
  const auto dir = Directory::Open(path);
  if (!dir.ok()) return dir.status().ToString();
  const auto files = ScanTree(*dir);
  if (!files.ok()) return files.status().ToString();
  const auto bytes = EncodeManifest({"app", "1", "", *files});
  return bytes.ok() ? "ok" : bytes.status().ToString();
}

TEST_F(HostileTrees, AreRefusedOrTakenAsTheTableSaysInBoundedMemory) {
  const std::vector<Row> rows = test::ReadTable("trees.txt");
  EXPECT_GE(rows.size(), 75u);
  EXPECT_GE(rows.size() + test::ReadTable("paths.txt").size(), 300u);
  for (const Row& row : rows) {
    Folder folder;
    folder.Plant(test::Words(row.rest));
    const test::ChildEnd end = test::InChild([&] { return Scan(folder.tree()); });
    if (row.verdict == "accepted") {
      EXPECT_EQ(end.said, "ok") << Shown(row);
    } else {
      EXPECT_THAT(end.said, testing::StartsWith("INVALID_ARGUMENT")) << Shown(row);
    }
    EXPECT_LT(end.said.size(), 5'000u) << Shown(row);
    EXPECT_LT(end.peak_bytes, kMemoryMax) << Shown(row);
    EXPECT_TRUE(folder.OutsideIsUntouched()) << Shown(row);
  }
}

// What was accepted arrives as plain files of two modes, without attributes or second names.
TEST_F(HostileTrees, WhatArrivesIsPlain) {
  agent::FakeContentSource content;
  std::vector<agent::FakeContentSource::FileSpec> files = {{"backend/plain", "x", 0644},
                                                           {"backend/program", "y", 0755},
                                                           {"backend/\xff\xfe", "z", 0644},
                                                           {"backend/same", "x", 0644}};
  const std::string digest = content.AddRelease("1.0", files);
  const TestDirectory home, state;
  auto releases = agent::HostReleases::Open(state / "agent");
  ASSERT_TRUE(releases.ok()) << releases.status();
  umask(0);
  ASSERT_TRUE((*releases)->Stage({home / "app", digest, "backend", "ro-1", 5}, content, {}).ok());
  umask(022);
  const std::string dir = *(*releases)->ReleaseDir(home / "app", digest);
  int found = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir)) {
    struct stat info{};
    ASSERT_EQ(lstat(entry.path().c_str(), &info), 0);
    ASSERT_TRUE(S_ISREG(info.st_mode)) << entry.path();
    EXPECT_EQ(info.st_mode & 07777 & ~0755u, 0u) << entry.path();
    EXPECT_EQ(info.st_mode & 0022, 0u) << entry.path();
    EXPECT_EQ(info.st_nlink, 1u) << entry.path();
    EXPECT_EQ(listxattr(entry.path().c_str(), nullptr, 0), 0) << entry.path();
    ++found;
  }
  EXPECT_EQ(found, 4);
}

// A manifest of a million entries is longer than one may be: refused before it is looked into.
TEST_F(HostileTrees, ManifestOfAMillionEntriesIsRefusedInBoundedMemory) {
  const test::ChildEnd end = test::InChild([] {
    std::string bytes = "slipway-manifest 1\nname app\nversion 1\ntree " +
                        Digest::Of("").ToString() + "\nrelease 0\n\nfiles 1000000\n";
    const std::string line = "file 0644 0 " + Digest::Of("").ToString() + " ";
    for (int i = 0; i < 1'000'000; ++i) absl::StrAppend(&bytes, line, i, "\n");
    return std::string(ParseManifest(bytes).status().ToString());
  });
  EXPECT_THAT(end.said, testing::StartsWith("INVALID_ARGUMENT"));
  EXPECT_LT(end.peak_bytes, 320u << 20) << "most of it is the manifest";
}

// As many and as long names as three megabytes hold.
TEST_F(HostileTrees, ManifestOfTheGreatestSizeIsReadInBoundedMemory) {
  const test::ChildEnd end = test::InChild([] {
    std::string folders;
    for (int i = 0; i < 63; ++i) folders += std::string(60, 'a') + "/";
    Manifest manifest{"app", "1", "", {}};
    for (int i = 100; i < 800; ++i) {
      manifest.files.push_back({absl::StrCat(i, folders), 0644, 0, Digest::Of(""), {}});
      manifest.files.back().path += "f";
    }
    const auto bytes = EncodeManifest(manifest);
    if (!bytes.ok()) return bytes.status().ToString();
    const auto parsed = ParseManifest(*bytes);
    return parsed.ok() ? std::string("ok") : parsed.status().ToString();
  });
  EXPECT_EQ(end.said, "ok");
  EXPECT_LT(end.peak_bytes, 256u << 20);
}

}  // namespace
}  // namespace slipway
