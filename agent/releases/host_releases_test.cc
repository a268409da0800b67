#include "agent/releases/host_releases.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "agent/releases/fake_content_source.h"
#include "common/fs/test_directory.h"
#include "slipway/v1/action.pb.h"

namespace slipway::agent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class HostReleasesTest : public testing::Test {
 protected:
  void SetUp() override {
    Reopen();
    one_ = content_.AddRelease("1.0", {{"backend/bin/media", "program 1", 0755},
                                       {"backend/lib/big", std::string(100'000, 'b')},
                                       {"hooks/lib", "library"},
                                       {"hooks/smoke", "#!/bin/sh", 0755},
                                       {"web/index.html", "page"}});
    two_ = content_.AddRelease("2.0", {{"backend/bin/media", "program 2", 0755},
                                       {"backend/lib/big", std::string(100'000, 'b')}});
  }

  void Reopen() {
    releases_.reset();
    auto opened = HostReleases::Open(state_ / "agent");
    ASSERT_TRUE(opened.ok()) << opened.status();
    releases_ = *std::move(opened);
  }

  absl::Status Stage(const std::string& digest, int keep = 5, const std::string& rollout = "ro-1") {
    return releases_->Stage({app(), digest, "backend", rollout, keep}, content_, {});
  }
  std::string app() const { return home_ / "media"; }
  std::vector<std::string> Folders() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(app() + "/releases")) {
      names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  TestDirectory home_, state_;
  FakeContentSource content_;
  std::unique_ptr<HostReleases> releases_;
  std::string one_, two_;
};

TEST_F(HostReleasesTest, StagedReleaseIsWholeReadOnlyAndNotLive) {
  ASSERT_TRUE(Stage(one_).ok());
  const std::string folder = "media/releases/1.0-" + one_.substr(7, 8);
  EXPECT_EQ(*releases_->ReleaseDir(app(), one_), home_ / folder);
  EXPECT_EQ(home_.Read(folder + "/bin/media"), "program 1");
  struct stat st = {};
  ASSERT_EQ(::stat((home_ / folder + "/bin/media").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 07777, 0555u);
  ASSERT_EQ(::stat((home_ / folder).c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 07777, 0555u);
  EXPECT_EQ(*releases_->CurrentDigest(app()), "");
  EXPECT_TRUE(releases_->VerifyTree(app(), one_).ok());
  EXPECT_EQ(Folders().size(), 1u);
  EXPECT_FALSE(home_.Has(folder + "/index.html")) << "another component";
}

TEST_F(HostReleasesTest, StagingTwiceFetchesNothingAndUnchangedFilesAreLinked) {
  ASSERT_TRUE(Stage(one_).ok());
  const auto served = content_.BytesServed();
  ASSERT_TRUE(Stage(one_).ok());
  EXPECT_EQ(content_.BytesServed(), served);
  ASSERT_TRUE(Stage(two_).ok());
  EXPECT_EQ(content_.BytesServed(), served + std::string("program 2").size());
  EXPECT_EQ(std::filesystem::hard_link_count(*releases_->ReleaseDir(app(), two_) + "/lib/big"), 2u);
}

TEST_F(HostReleasesTest, SwitchingIsRepeatableRemembersAndSurvivesARestart) {
  ASSERT_TRUE(Stage(one_).ok());
  ASSERT_TRUE(Stage(two_).ok());
  ASSERT_TRUE(releases_->SwitchTo(app(), one_).ok());
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(releases_->SwitchTo(app(), two_).ok());
    Reopen();
    EXPECT_EQ(*releases_->CurrentDigest(app()), two_);
  }
  EXPECT_EQ(releases_->OnDisk().at(app()).on_disk, two_);
  EXPECT_EQ(releases_->OnDisk().at(app()).label, "2.0");
  EXPECT_THAT(releases_->Apps(), ElementsAre(app()));
  ASSERT_TRUE(releases_->SwitchTo(app(), "").ok());
  ASSERT_TRUE(releases_->SwitchTo(app(), "").ok());
  EXPECT_FALSE(home_.Has("media/current"));
}

TEST_F(HostReleasesTest, ForeignCurrentIsReportedAndLeftAlone) {
  ASSERT_TRUE(Stage(one_).ok());
  home_.Write("media/releases/by-hand/bin/media", "x");
  std::filesystem::create_symlink("releases/by-hand", home_ / "media/current");
  EXPECT_EQ(releases_->CurrentDigest(app()).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(releases_->SwitchTo(app(), one_).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(releases_->SwitchTo(app(), "").code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(releases_->OnDisk().at(app()).on_disk, "unproven");
  EXPECT_EQ(std::filesystem::read_symlink(home_ / "media/current"), "releases/by-hand");
  std::filesystem::remove(home_ / "media/current");
  home_.Write("media/current/index", "a folder");
  EXPECT_EQ(releases_->SwitchTo(app(), one_).code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(HostReleasesTest, DefinitionsComeFromTheRelease) {
  ASSERT_TRUE(Stage(one_).ok());
  EXPECT_EQ(releases_->ServiceOf(app(), one_, "media")->run(0), "bin/media");
  EXPECT_EQ(releases_->ServiceOf(app(), one_, "none").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(releases_->ServiceOf(app(), two_, "media").status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(releases_->ReleaseOf(app(), one_)->digest(), one_);
  EXPECT_EQ(*releases_->ComponentOf(app(), one_), "backend");
  EXPECT_EQ(releases_->DigestAt(app(), *releases_->ReleaseDir(app(), one_) + "/bin/media"), one_);
  EXPECT_EQ(releases_->DigestAt(app(), *releases_->ReleaseDir(app(), one_)), one_);
  EXPECT_EQ(releases_->DigestAt(app(), app() + "/shared/x"), "");
  EXPECT_EQ(releases_->DigestAt(app(), "/usr/bin/python3"), "");
}

TEST_F(HostReleasesTest, EveryKindOfChangeByHandIsFoundAndAStagedReleaseIsBroughtAnew) {
  const std::vector<std::function<void(const std::string&)>> changes = {
      [](const std::string& dir) {
        std::filesystem::permissions(dir + "/bin/media", std::filesystem::perms::owner_all);
        std::ofstream(dir + "/bin/media") << "program X";
      },
      [](const std::string& dir) { ::chmod((dir + "/bin/media").c_str(), 0444); },
      [](const std::string& dir) { ::chmod((dir + "/bin/media").c_str(), 04555); },
      [](const std::string& dir) { std::filesystem::remove(dir + "/bin/media"); },
      [](const std::string& dir) { std::ofstream(dir + "/bin/more") << "x"; },
      [](const std::string& dir) { std::filesystem::create_symlink("/etc", dir + "/etc"); },
  };
  for (const auto& change : changes) {
    ASSERT_TRUE(Stage(one_).ok());
    const std::string dir = *releases_->ReleaseDir(app(), one_);
    ::chmod(dir.c_str(), 0755);
    ::chmod((dir + "/bin").c_str(), 0755);
    change(dir);
    const absl::Status verified = releases_->VerifyTree(app(), one_);
    EXPECT_EQ(verified.code(), absl::StatusCode::kDataLoss) << verified;
    ASSERT_TRUE(Stage(one_).ok());
    EXPECT_TRUE(releases_->VerifyTree(app(), one_).ok());
  }
  ASSERT_TRUE(releases_->SwitchTo(app(), one_).ok());
  std::filesystem::remove(*releases_->ReleaseDir(app(), one_) + "/bin/media");
  EXPECT_EQ(Stage(one_).code(), absl::StatusCode::kDataLoss) << "the live one is not touched";
  EXPECT_TRUE(releases_->IsStaged(app(), one_));
}

TEST_F(HostReleasesTest, CollectionKeepsTheLiveThePreviousThePinnedAndTheNewest) {
  std::vector<std::string> digests;
  for (int i = 0; i < 6; ++i) {
    const std::string version = "3." + std::to_string(i);
    digests.push_back(content_.AddRelease(version, {{"backend/x", version}}));
    ASSERT_TRUE(Stage(digests[i], 10, "ro-" + std::to_string(i)).ok());
  }
  ASSERT_TRUE(releases_->SwitchTo(app(), digests[0]).ok());
  ASSERT_TRUE(releases_->SwitchTo(app(), digests[1]).ok());
  for (const int released : {0, 1, 3, 4, 5}) {
    ASSERT_TRUE(releases_->ReleasePins("ro-" + std::to_string(released)).ok());
  }
  ASSERT_TRUE(releases_->Collect(app(), 1).ok());
  const auto staged = [&](int i) { return releases_->IsStaged(app(), digests[i]); };
  EXPECT_TRUE(staged(0)) << "the one before the live one";
  EXPECT_TRUE(staged(1)) << "the live one";
  EXPECT_TRUE(staged(2)) << "pinned";
  EXPECT_FALSE(staged(3) || staged(4) || staged(5));
  EXPECT_EQ(Folders().size(), 3u);
  Reopen();
  ASSERT_TRUE(releases_->Unpin(app(), digests[2], "ro-2").ok());
  ASSERT_TRUE(releases_->Collect(app(), 1).ok());
  EXPECT_FALSE(staged(2));
  EXPECT_EQ(*releases_->CurrentDigest(app()), digests[1]);
}

TEST_F(HostReleasesTest, HealthIsRememberedPerRelease) {
  ASSERT_TRUE(Stage(one_).ok());
  ASSERT_TRUE(Stage(two_).ok());
  EXPECT_FALSE(releases_->RanHealthily(app(), one_));
  ASSERT_TRUE(releases_->MarkHealthy(app(), one_).ok());
  Reopen();
  EXPECT_TRUE(releases_->RanHealthily(app(), one_));
  EXPECT_FALSE(releases_->RanHealthily(app(), two_));
  EXPECT_EQ(releases_->MarkHealthy(app(), Digest::Of("x").ToString()).code(),
            absl::StatusCode::kNotFound);
}

TEST_F(HostReleasesTest, OnlyTheFirstStateBeforeARolloutCounts) {
  const FileState first{true, std::string("a\0b", 3), 1, 2, 0640},
      second{true, "later", 0, 0, 0644};
  ASSERT_TRUE(releases_->RememberBefore(app(), "ro-1", "/etc/x", first).ok());
  ASSERT_TRUE(releases_->RememberBefore(app(), "ro-1", "/etc/x", second).ok());
  ASSERT_TRUE(releases_->RememberBefore(app(), "ro-2", "/etc/x", second).ok());
  Reopen();
  EXPECT_EQ(*releases_->Before(app(), "ro-1", "/etc/x"), first);
  EXPECT_EQ(*releases_->Before(app(), "ro-2", "/etc/x"), second);
  EXPECT_EQ(releases_->Before(app(), "ro-1", "/etc/y").status().code(),
            absl::StatusCode::kNotFound);
  for (int i = 3; i < 8; ++i) {
    ASSERT_TRUE(releases_->RememberBefore(app(), "ro-" + std::to_string(i), "/etc/x", second).ok());
  }
  EXPECT_FALSE(releases_->Before(app(), "ro-1", "/etc/x").ok()) << "bounded";
  EXPECT_TRUE(releases_->Before(app(), "ro-3", "/etc/x").ok());
}

TEST_F(HostReleasesTest, RenderedFilesBelongToTheRecordAndRecordsArePrivate) {
  ASSERT_TRUE(Stage(one_).ok());
  const FileState rendered{true, "secret", 0, 0, 0600};
  ASSERT_TRUE(releases_->RecordRendered(app(), one_, "/etc/x", rendered).ok());
  Reopen();
  EXPECT_EQ(*releases_->Rendered(app(), one_, "/etc/x"), rendered);
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(state_ / "agent/releases/apps")) {
    const auto others = entry.status().permissions() & std::filesystem::perms(0077);
    EXPECT_EQ(others, std::filesystem::perms::none) << entry.path();
  }
}

TEST_F(HostReleasesTest, DamagedRecordIsNamedAndStopsTheAgent) {
  ASSERT_TRUE(Stage(one_).ok());
  std::string record;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(state_ / "agent/releases/apps")) {
    if (entry.path().filename() == one_.substr(7)) record = entry.path().string();
  }
  ASSERT_FALSE(record.empty());
  std::ofstream(record, std::ios::app) << "x";
  const auto opened = HostReleases::Open(state_ / "agent");
  EXPECT_EQ(opened.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(opened.status().message()), HasSubstr(one_.substr(7)));
}

TEST_F(HostReleasesTest, HooksAreCachedWithTheirNeighboursAndVerifiedEachTime) {
  const auto path = releases_->CachedFile(one_, "hooks/smoke", content_);
  ASSERT_TRUE(path.ok()) << path.status();
  EXPECT_EQ(std::filesystem::status(*path).permissions(), std::filesystem::perms(0555));
  const std::string library = std::filesystem::path(*path).parent_path() / "lib";
  EXPECT_TRUE(std::filesystem::exists(library));
  const auto served = content_.BytesServed();
  EXPECT_EQ(*releases_->CachedFile(one_, "hooks/smoke", content_), *path);
  EXPECT_EQ(content_.BytesServed(), served);
  std::filesystem::remove(library);
  std::ofstream(library) << "planted";
  ASSERT_TRUE(releases_->CachedFile(one_, "hooks/smoke", content_).ok());
  EXPECT_GT(content_.BytesServed(), served);
  EXPECT_EQ(releases_->CachedFile(one_, "hooks/none", content_).status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(HostReleasesTest, OneAppHoldsOneComponent) {
  ASSERT_TRUE(Stage(one_).ok());
  const absl::Status refused = releases_->Stage({app(), one_, "frontend", "ro-1", 5}, content_, {});
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("directory of its own"));
  const absl::Status unknown =
      releases_->Stage({home_ / "web", one_, "frontned", "ro-1", 5}, content_, {});
  EXPECT_THAT(std::string(unknown.message()), HasSubstr("did you mean \"frontend\""));
  EXPECT_FALSE(home_.Has("web"));
}

}  // namespace
}  // namespace slipway::agent
