// Somebody who may write in a folder swaps it for a link to elsewhere as fast as they can, while
// the agent or the command line works below it: nothing elsewhere is read, written or removed.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdio.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <thread>

#include "absl/strings/str_cat.h"
#include "agent/actions/config_file.h"
#include "agent/releases/fake_content_source.h"
#include "agent/releases/host_releases.h"
#include "common/artifact/tree_scan.h"
#include "common/fs/directory.h"
#include "common/fs/test_directory.h"

namespace slipway {
namespace {

// In each of the tests; 10^5 in all of them.
constexpr int kSwaps = 30'000;
constexpr int kRounds = 100;
constexpr char kElsewhere[] = "what stands elsewhere";

// A folder, and a link to `elsewhere`, that change places until destroyed. At each moment one of
// them stands at `path`: never nothing.
class Swapper {
 public:
  Swapper(const std::string& path, const std::string& link, const std::string& elsewhere) {
    std::filesystem::create_directories(path);
    std::filesystem::create_directory_symlink(elsewhere, link);
    thread_ = std::thread([this, path, link] {
      while (!over_) {
        if (::renameat2(AT_FDCWD, path.c_str(), AT_FDCWD, link.c_str(), RENAME_EXCHANGE) == 0) {
          ++swaps_;
        }
      }
    });
  }
  ~Swapper() {
    over_ = true;
    thread_.join();
  }
  int swaps() const { return swaps_; }

 private:
  std::atomic<bool> over_ = false;
  std::atomic<int> swaps_ = 0;
  std::thread thread_;
};

class HostileRaces : public testing::Test {
 protected:
  // In memory, where a swap takes a microsecond.
  static void SetUpTestSuite() { setenv("TEST_TMPDIR", "/dev/shm", 1); }
  static void TearDownTestSuite() { unsetenv("TEST_TMPDIR"); }

  void SetUp() override {
    for (const char* name : {"keep", "file", "conf/app.conf", "d/keep", "sub/keep"}) {
      elsewhere_.Write(name, kElsewhere);
    }
    before_ = Seen();
  }
  void TearDown() override { EXPECT_EQ(Seen(), before_) << "elsewhere"; }

  // Path -> kind, mode and content.
  std::map<std::string, std::string> Seen() const {
    std::map<std::string, std::string> seen;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(elsewhere_.path())) {
      struct stat info{};
      EXPECT_EQ(lstat(entry.path().c_str(), &info), 0);
      const std::string name = entry.path().lexically_relative(elsewhere_.path());
      seen[name] = absl::StrCat(info.st_mode, " ", info.st_nlink, " ",
                                S_ISREG(info.st_mode) ? elsewhere_.Read(name) : "");
    }
    return seen;
  }

  // Works until there were enough swaps and enough work; how often it went well.
  int Race(const std::string& path, const std::function<bool()>& work) {
    const Swapper swapper(path, home_ / "link", elsewhere_.path());
    int rounds = 0, good = 0;
    for (; rounds < kRounds || swapper.swaps() < kSwaps; ++rounds) good += work() ? 1 : 0;
    EXPECT_GE(swapper.swaps(), kSwaps);
    return good;
  }

  TestDirectory home_, elsewhere_;
  std::map<std::string, std::string> before_;
};

TEST_F(HostileRaces, StagingWritesAndCollectsBelowItsFolderOnly) {
  agent::FakeContentSource content;
  std::vector<std::string> digests;
  for (const char* version : {"1.0", "2.0"}) {
    digests.push_back(content.AddRelease(
        version, {{"backend/d/file", version}, {"backend/file", "same"}, {"backend/keep", "own"}}));
  }
  const TestDirectory state;
  const auto releases = agent::HostReleases::Open(state / "agent");
  ASSERT_TRUE(releases.ok()) << releases.status();
  std::size_t turn = 0;
  Race(home_ / "app/releases", [&] {
    const std::string& digest = digests[++turn % digests.size()];
    const bool staged =
        (*releases)->Stage({home_ / "app", digest, "backend", "ro-1", 1}, content, {}).ok();
    (void)(*releases)->VerifyTree(home_ / "app", digest);
    return staged;
  });
}

TEST_F(HostileRaces, ConfigurationIsWrittenReadAndRemovedBelowItsApplicationOnly) {
  const agent::ConfigPath path{home_ / "app", "shared/conf/app.conf"};
  int turn = 0;
  const int good = Race(home_ / "app/shared", [&] {
    const bool there = ++turn % 2 == 0;
    const bool written =
        agent::WriteConfig(path, {there, absl::StrCat("text ", turn), 0, 0, 0640}).ok();
    const auto read = agent::ReadConfig(path);
    EXPECT_TRUE(!read.ok() || read->bytes != kElsewhere);
    return written;
  });
  EXPECT_GT(good, 0) << "it is not that nothing can be written";
}

TEST_F(HostileRaces, EveryOperationOfADirectoryStaysBelowIt) {
  const auto root = Directory::OpenOrMake(home_ / "root", 0755);
  ASSERT_TRUE(root.ok()) << root.status();
  int turn = 0;
  const int good = Race(home_ / "root/a", [&] {
    const bool made = root->MakeBelow("a/d/e", 0755).ok();
    (void)root->WriteAtomically("a/keep", absl::StrCat("text ", ++turn), {});
    (void)root->CreateFile("a/d/new", 0600);
    (void)root->PointLink("a/sub/link", "target");
    (void)root->Rename("a/keep", "a/d/keep");
    (void)root->Rename("a/file", "mine");
    const auto text = root->Read("a/file", 1 << 10);
    EXPECT_TRUE(!text.ok() || *text != kElsewhere);
    (void)root->RemoveFile("a/file");
    (void)root->RemoveTree("a/d");
    (void)root->RemoveTree("a/sub");
    return made;
  });
  EXPECT_GT(good, 0) << "it is not that nothing can be made";
  EXPECT_FALSE(home_.Has("root/mine"));
}

TEST_F(HostileRaces, ScanTakesNothingFromElsewhereIntoARelease) {
  home_.Write("tree/file", "ordinary");
  home_.Write("tree/folder/own", "ordinary");
  const auto root = Directory::Open(home_ / "tree");
  ASSERT_TRUE(root.ok()) << root.status();
  Race(home_ / "tree/folder", [&] {
    const auto files = ScanTree(*root);
    if (!files.ok()) return false;
    for (const FileEntry& file : *files) {
      EXPECT_TRUE(file.path == "file" || file.path == "folder/own") << file.path;
    }
    return true;
  });
}

}  // namespace
}  // namespace slipway
