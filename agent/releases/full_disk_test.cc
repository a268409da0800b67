// A disk that fills while a release is written to it, at every place where it can: a small file
// system of its own, with the agent's records on it too.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "agent/releases/fake_content_source.h"
#include "agent/releases/host_releases.h"
#include "common/fs/test_directory.h"
#include "slipway/v1/action.pb.h"

namespace slipway::agent {
namespace {

using testing::HasSubstr;

// Room for both releases and for what staging wants to be left over.
constexpr off_t kDiskBytes = 16 << 20;
constexpr off_t kLeftMost = 1 << 20;
constexpr off_t kStep = 32 << 10;
constexpr int kFiles = 12;

// A tmpfs that nobody else sees; it goes with the process, whatever happens to the test.
class SmallDisk {
 public:
  explicit SmallDisk(std::string path) : path_(std::move(path)) {
    const std::string size = absl::StrCat("size=", kDiskBytes, ",mode=0755");
    EXPECT_EQ(mount("tmpfs", path_.c_str(), "tmpfs", 0, size.c_str()), 0) << strerror(errno);
  }
  ~SmallDisk() { EXPECT_EQ(umount2(path_.c_str(), MNT_DETACH), 0) << strerror(errno); }

  void FillUpTo(off_t left) const {
    const int fd = open(Filler().c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
    off_t size = 0;
    for (off_t piece = 1 << 20; piece >= 4096; piece /= 2) {
      while (posix_fallocate(fd, size, piece) == 0) size += piece;
    }
    EXPECT_EQ(ftruncate(fd, std::max<off_t>(size - left, 0)), 0);
    close(fd);
  }
  void MakeRoom() const { std::filesystem::remove(Filler()); }

 private:
  std::string Filler() const { return path_ + "/filler"; }
  const std::string path_;
};

class FullDiskTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    const int spaces = geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS;
    ASSERT_EQ(unshare(spaces), 0) << strerror(errno);
    ASSERT_EQ(mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0) << strerror(errno);
  }
  void SetUp() override {
    old_ = content_.AddRelease("1.0", {{"backend/bin/media", std::string(60'000, '1'), 0755}});
    std::vector<FakeContentSource::FileSpec> files;
    for (int i = 0; i < kFiles; ++i) {
      files.push_back({absl::StrCat("backend/", i, "/file"),
                       std::string(40'000, static_cast<char>('a' + i)) + std::to_string(i)});
      new_bytes_ += files.back().content.size();
    }
    new_ = content_.AddRelease("2.0", files);
  }
  std::string app() const { return home_ / "media"; }
  void Reopen() {
    releases_.reset();
    auto opened = HostReleases::Open(home_ / "agent");
    ASSERT_TRUE(opened.ok()) << opened.status();
    releases_ = *std::move(opened);
  }
  absl::Status Stage(const std::string& digest) {
    return releases_->Stage({app(), digest, "backend", "ro-1", 5}, content_, {});
  }
  // Whatever anybody would look at is whole: a release that came complete just before the disk was
  // full may lack its record only.
  void ExpectNothingHalfDone() const {
    std::uintmax_t files = 0, bytes = 0;
    for (const auto& folder : std::filesystem::directory_iterator(app() + "/releases")) {
      const std::string name = folder.path().filename().string();
      if (name.front() == '.' || name.rfind("1.0-", 0) == 0) continue;
      for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        if (!entry.is_regular_file()) continue;
        ++files;
        bytes += entry.file_size();
      }
      EXPECT_EQ(files, std::uintmax_t{kFiles}) << name;
      EXPECT_EQ(bytes, new_bytes_) << name;
    }
  }
  void ExpectOldIsLiveAndWhole() {
    EXPECT_EQ(*releases_->CurrentDigest(app()), old_);
    const absl::Status whole = releases_->VerifyTree(app(), old_);
    EXPECT_TRUE(whole.ok()) << whole;
  }
  // Stages 2.0 onto a disk that has `left` bytes once its first piece is there.
  absl::Status StageOntoDiskWith(const SmallDisk& disk, off_t left) {
    bool full = false;
    content_.OnPiece(8 << 10, [&](const std::string&) {
      if (!full) disk.FillUpTo(left);
      full = true;
      return absl::OkStatus();
    });
    const absl::Status staged = Stage(new_);
    content_.OnPiece(64 << 10, nullptr);
    return staged;
  }

  TestDirectory home_;
  FakeContentSource content_;
  std::string old_, new_;
  std::uintmax_t new_bytes_ = 0;
  std::unique_ptr<HostReleases> releases_;
};

TEST_F(FullDiskTest, NothingIsHalfDoneWhereverItFillsAndItGoesOnOnceThereIsRoom) {
  int refused = 0;
  bool fits = false;
  for (off_t left = 0; !fits && left < kLeftMost; left += kStep) {
    SCOPED_TRACE(absl::StrCat(left, " bytes left"));
    const SmallDisk disk(home_.path());
    Reopen();
    const absl::Status first = Stage(old_);
    ASSERT_TRUE(first.ok()) << first;
    ASSERT_TRUE(releases_->SwitchTo(app(), old_).ok());

    const absl::Status staged = StageOntoDiskWith(disk, left);
    fits = staged.ok();
    if (!fits) {
      ++refused;
      EXPECT_EQ(staged.code(), absl::StatusCode::kResourceExhausted) << staged;
      EXPECT_THAT(std::string(staged.message()), HasSubstr(home_.path()));
      EXPECT_FALSE(releases_->IsStaged(app(), new_));
      ExpectNothingHalfDone();
    }
    ExpectOldIsLiveAndWhole();
    Reopen();  // an agent that starts on the full disk
    ExpectOldIsLiveAndWhole();

    disk.MakeRoom();
    const absl::Status again = Stage(new_);
    ASSERT_TRUE(again.ok()) << again;
    EXPECT_TRUE(releases_->VerifyTree(app(), new_).ok());
    ExpectOldIsLiveAndWhole();
    ASSERT_TRUE(releases_->SwitchTo(app(), new_).ok());
    releases_.reset();
  }
  EXPECT_TRUE(fits);
  EXPECT_GE(refused, 12);
}

}  // namespace
}  // namespace slipway::agent
