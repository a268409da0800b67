// What happens to a release that arrives badly: cut off, corrupt, hostile, or into a full disk.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "agent/releases/fake_content_source.h"
#include "agent/releases/host_releases.h"
#include "common/artifact/limits.h"
#include "common/fs/test_directory.h"
#include "slipway/v1/action.pb.h"

namespace slipway::agent {
namespace {

using testing::HasSubstr;

class StagingTest : public testing::Test {
 protected:
  void SetUp() override { Reopen(); }

  void Reopen() {
    releases_.reset();
    auto opened = HostReleases::Open(state_ / "agent");
    ASSERT_TRUE(opened.ok()) << opened.status();
    releases_ = *std::move(opened);
  }
  std::string app() const { return home_ / "media"; }
  absl::Status Stage(const std::string& digest, const StageHooks& hooks = {}) {
    return releases_->Stage({app(), digest, "backend", "ro-1", 5}, content_, hooks);
  }
  // Names below releases/ that anybody would look at.
  int Visible() const {
    int count = 0;
    if (!home_.Has("media/releases")) return 0;
    for (const auto& entry : std::filesystem::directory_iterator(app() + "/releases")) {
      if (entry.path().filename().string().front() != '.') ++count;
    }
    return count;
  }

  TestDirectory home_, state_;
  FakeContentSource content_;
  std::unique_ptr<HostReleases> releases_;
};

TEST_F(StagingTest, CorruptContentAtEveryPositionIsFoundAndNothingIsVisible) {
  const std::string content = "a small file";
  const std::string digest = content_.AddRelease("1.0", {{"backend/file", content}});
  const std::string object = Digest::Of(content).ToString();
  for (std::size_t i = 0; i < content.size(); ++i) {
    for (const unsigned char flip : {0x01, 0x80}) {
      std::string corrupt = content;
      corrupt[i] = static_cast<char>(corrupt[i] ^ flip);
      content_.SetObject(object, corrupt);
      EXPECT_EQ(Stage(digest).code(), absl::StatusCode::kDataLoss) << i;
      EXPECT_EQ(Visible(), 0);
      EXPECT_FALSE(releases_->IsStaged(app(), digest));
    }
  }
  for (const std::string& wrong :
       {std::string(), content.substr(1), content + "x", std::string(1 << 20, 'x')}) {
    content_.SetObject(object, wrong);
    EXPECT_EQ(Stage(digest).code(), absl::StatusCode::kDataLoss) << wrong.size();
    EXPECT_EQ(Visible(), 0);
  }
  content_.SetObject(object, content);
  EXPECT_TRUE(Stage(digest).ok());
  EXPECT_TRUE(releases_->VerifyTree(app(), digest).ok());
}

TEST_F(StagingTest, ManifestThatIsNotTheOneAskedForIsRefused) {
  const std::string digest = content_.AddRelease("1.0", {{"backend/file", "x"}});
  class Liar final : public ContentSource {
   public:
    absl::StatusOr<std::string> GetManifest(std::string_view) override {
      return "slipway-manifest 1\n";
    }
    absl::Status Fetch(std::string_view, std::uint64_t,
                       const std::function<absl::Status(std::string_view)>&) override {
      return absl::InternalError("must not be asked");
    }
  } liar;
  EXPECT_EQ(releases_->Stage({app(), digest, "backend", "ro-1", 5}, liar, {}).code(),
            absl::StatusCode::kDataLoss);
  // With the right digest but hostile content it is refused before the first write.
  const std::string hostile = content_.AddManifest("slipway-manifest 1\nname ../x\n");
  EXPECT_EQ(Stage(hostile).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(home_.Has("media"));
}

TEST_F(StagingTest, BrokenTransferGoesOnWhereItStopped) {
  const std::string big(1'000'000, 'x');
  const std::string digest =
      content_.AddRelease("1.0", {{"backend/a", "small"}, {"backend/big", big}});
  int pieces = 0;
  content_.OnPiece(10'000, [&](const std::string&) {
    return ++pieces == 50 ? absl::UnavailableError("gone") : absl::OkStatus();
  });
  EXPECT_EQ(Stage(digest).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Visible(), 0);
  Reopen();
  std::string last;
  std::uint64_t done = 0, total = 0;
  ASSERT_TRUE(Stage(digest, {.progress = [&](std::string_view text, std::uint64_t d,
                                             std::uint64_t t) { last = text, done = d, total = t; },
                             .stopping = {}})
                  .ok());
  EXPECT_EQ(content_.BytesServed(), big.size() + 5) << "each byte came once";
  EXPECT_EQ(done, big.size() + 5);
  EXPECT_EQ(total, big.size() + 5);
  EXPECT_EQ(last, "copy 100 %, 976.6 KiB of 976.6 KiB");
}

TEST_F(StagingTest, StoppingAgentLeavesSoonAndKeepsWhatItHas) {
  const std::string digest =
      content_.AddRelease("1.0", {{"backend/big", std::string(1'000'000, 'x')}});
  int asked = 0;
  content_.OnPiece(10'000, {});
  EXPECT_EQ(Stage(digest, {.progress = {}, .stopping = [&] { return ++asked > 20; }}).code(),
            absl::StatusCode::kCancelled);
  const auto served = content_.BytesServed();
  EXPECT_LT(served, 300'000u);
  ASSERT_TRUE(Stage(digest).ok());
  EXPECT_EQ(content_.BytesServed(), 1'000'000u);
}

TEST_F(StagingTest, LeftoversThatWereEditedAreReplaced) {
  const std::string digest = content_.AddRelease(
      "1.0", {{"backend/a/x", "content a"}, {"backend/b", std::string(100, 'b')}});
  int pieces = 0;
  content_.OnPiece(10, [&](const std::string&) {
    return ++pieces == 8 ? absl::UnavailableError("gone") : absl::OkStatus();
  });
  ASSERT_FALSE(Stage(digest).ok());
  const std::string staging = "media/releases/.staging-" + digest.substr(7, 16);
  const std::string parts = "media/releases/.parts-" + digest.substr(7, 16);
  ASSERT_TRUE(home_.Has(staging));
  std::filesystem::remove(home_ / staging + "/a/x");
  std::filesystem::create_symlink("/etc/passwd", home_ / staging + "/a/x");
  home_.Write(staging + "/stranger", "x");
  home_.Write(parts + "/" + Digest::Of(std::string(100, 'b')).Hex(), "not b at all");
  ASSERT_TRUE(Stage(digest).ok());
  EXPECT_TRUE(releases_->VerifyTree(app(), digest).ok());
}

TEST_F(StagingTest, ReleaseTooBigForTheDiskIsRefusedWithFiguresAndLeavesNothing) {
  Manifest manifest{"n", "1.0", "", {}};
  v1::Release release;
  release.add_components()->set_name("backend");
  release.mutable_components(0)->set_path("backend/");
  manifest.release = release.SerializeAsString();
  for (const std::string name : {"a", "b", "c", "d"}) {
    const Digest digest = Digest::Of(name);
    manifest.files.push_back(
        {"backend/" + name, 0644, kFileBytesMax, digest, {{digest, kFileBytesMax}}});
  }
  const std::string digest = content_.AddManifest(*EncodeManifest(manifest));
  // A file system in memory is smaller than 64 GiB wherever tests run.
  const std::string shm = "/dev/shm/slipway-staging-" + std::to_string(::getpid());
  const absl::Status refused = releases_->Stage({shm, digest, "backend", "ro-1", 5}, content_, {});
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted) << refused;
  EXPECT_THAT(std::string(refused.message()),
              HasSubstr("64.0 GiB and a reserve of 8.0 MiB needed"));
  EXPECT_TRUE(std::filesystem::is_empty(shm + "/releases"));
  std::filesystem::remove_all(shm);
}

// A child stages and is killed at its n-th piece, for every n; then the parent goes on.
TEST_F(StagingTest, KilledAtEveryPieceTheNextTryFinishesAndNothingPartialWasVisible) {
  std::vector<FakeContentSource::FileSpec> files;
  for (int i = 0; i < 6; ++i) {
    files.push_back({"backend/d" + std::to_string(i % 3) + "/f" + std::to_string(i),
                     std::string(40, static_cast<char>('a' + i))});
  }
  const std::string digest = content_.AddRelease("1.0", files);
  for (int kill_at = 1; kill_at <= 24; ++kill_at) {
    releases_.reset();
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      int pieces = 0;
      content_.OnPiece(10, [&](const std::string&) {
        if (++pieces == kill_at) ::kill(::getpid(), SIGKILL);
        return absl::OkStatus();
      });
      auto own = HostReleases::Open(state_ / "agent");
      if (!own.ok()) ::_exit(3);
      (void)(*own)->Stage({app(), digest, "backend", "ro-1", 5}, content_, {});
      ::_exit(4);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "piece " << kill_at;
    EXPECT_EQ(Visible(), 0);
    Reopen();
    content_.OnPiece(10, {});
    const auto before = content_.BytesServed();
    ASSERT_TRUE(Stage(digest).ok());
    EXPECT_EQ(content_.BytesServed() - before, 240u - 10 * (kill_at - 1)) << "piece " << kill_at;
    EXPECT_TRUE(releases_->VerifyTree(app(), digest).ok());
    // For the next round.
    releases_.reset();
    std::filesystem::remove_all(state_ / "agent");
    for (const auto& entry : std::filesystem::directory_iterator(app() + "/releases")) {
      std::filesystem::permissions(entry.path(), std::filesystem::perms::owner_all);
      for (const auto& folder : std::filesystem::directory_iterator(entry.path())) {
        std::filesystem::permissions(folder.path(), std::filesystem::perms::owner_all);
      }
    }
    std::filesystem::remove_all(app());
  }
}

// Somebody who may write in the folders swaps them for links to elsewhere, as fast as they can.
TEST_F(StagingTest, FoldersSwappedForLinksMeanwhileLeadNowhere) {
  std::vector<FakeContentSource::FileSpec> files;
  for (int i = 0; i < 40; ++i) {
    files.push_back({"backend/d/f" + std::to_string(i), "content " + std::to_string(i)});
  }
  const std::string digest = content_.AddRelease("1.0", files);
  TestDirectory outside;
  outside.Write("keep", "me");
  const std::string folder = app() + "/releases/.staging-" + digest.substr(7, 16) + "/d";
  std::filesystem::create_directory_symlink(outside.path(), home_ / "link");
  std::atomic<bool> over{false};
  std::atomic<int> swaps{0};
  std::thread attacker([&] {
    while (!over) {
      // RENAME_EXCHANGE: at each moment there is a folder or a link, never nothing.
      if (::renameat2(AT_FDCWD, folder.c_str(), AT_FDCWD, (home_ / "link").c_str(),
                      RENAME_EXCHANGE) == 0) {
        ++swaps;
      }
    }
  });
  int refused = 0;
  for (int round = 0; round < 200 && (round < 20 || swaps < 1000); ++round) {
    if (!Stage(digest).ok()) ++refused;
    if (releases_->IsStaged(app(), digest)) {
      EXPECT_TRUE(releases_->Collect(app(), 1).ok());
      std::filesystem::rename(*releases_->ReleaseDir(app(), digest),
                              home_ / ("done-" + std::to_string(round)));
    }
  }
  over = true;
  attacker.join();
  EXPECT_GT(swaps, 0);
  int found = 0;
  for (const auto& entry : std::filesystem::directory_iterator(outside.path())) {
    EXPECT_EQ(entry.path().filename(), "keep");
    ++found;
  }
  EXPECT_EQ(found, 1) << "nothing was written or removed outside; " << refused << " tries refused";
  EXPECT_EQ(outside.Read("keep"), "me");
}

// The crash windows behind the last byte: each step is durable before the next one.
TEST_F(StagingTest, CompleteTreeWithoutRecordIsVerifiedAndTakenOver) {
  const std::string digest = content_.AddRelease("1.0", {{"backend/f", "content"}});
  ASSERT_TRUE(Stage(digest).ok());
  const auto served = content_.BytesServed();
  releases_.reset();
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(state_ / "agent/releases/apps")) {
    if (entry.path().filename() == digest.substr(7)) {
      std::filesystem::remove(entry.path());
      break;
    }
  }
  Reopen();
  EXPECT_FALSE(releases_->IsStaged(app(), digest));
  ASSERT_TRUE(Stage(digest).ok());
  EXPECT_EQ(content_.BytesServed(), served);
  EXPECT_TRUE(releases_->IsStaged(app(), digest));
}

TEST_F(StagingTest, RecordWithoutTreeAndHalfRemovedTreesAreTidiedUp) {
  const std::string one = content_.AddRelease("1.0", {{"backend/f", "content"}});
  ASSERT_TRUE(Stage(one).ok());
  const std::string folder = *releases_->ReleaseDir(app(), one);
  std::filesystem::rename(folder, app() + "/releases/.removing-1.0");
  EXPECT_FALSE(releases_->IsStaged(app(), one));
  EXPECT_EQ(releases_->SwitchTo(app(), one).code(), absl::StatusCode::kNotFound);
  home_.Write("media/releases/.staging-0123456789abcdef/f", "abandoned");
  ASSERT_TRUE(Stage(one).ok());
  EXPECT_TRUE(releases_->VerifyTree(app(), one).ok());
  ASSERT_TRUE(releases_->Collect(app(), 5).ok());
  EXPECT_FALSE(home_.Has("media/releases/.removing-1.0"));
  EXPECT_FALSE(home_.Has("media/releases/.staging-0123456789abcdef"));
}

}  // namespace
}  // namespace slipway::agent
