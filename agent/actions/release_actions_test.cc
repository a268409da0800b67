// stage, switch and configure on a complete host: each twice, each undone, each cut off.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdio.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "agent/actions/action_table.h"
#include "agent/actions/config_file.h"
#include "agent/releases/fake_content_source.h"
#include "agent/releases/host_releases.h"
#include "agent/services/fake_service_manager.h"
#include "agent/services/hook_runner.h"
#include "agent/state/output_spool.h"
#include "common/fs/test_directory.h"
#include "common/manual_clock.h"
#include "slipway/v1/action.pb.h"

namespace slipway::agent {
namespace {

using testing::HasSubstr;

class ReleaseActionsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(state_ / "out");
    spool_ = std::make_unique<OutputSpool>(state_ / "out");
    auto hooks = HookRunner::Open(state_ / "hooks", launcher_, clock_);
    ASSERT_TRUE(hooks.ok()) << hooks.status();
    hooks_ = *std::move(hooks);
    Restart();
    old_ = content_.AddRelease("1.0", {{"backend/media.toml.tmpl", "port = {{port}}\n"}});
    new_ = content_.AddRelease("2.0", {{"backend/media.toml.tmpl",
                                        "# {{release.version}}\nport = {{ port }}\n{{shared}}\n"}});
    vars_ = {{"port", "8080"}, {"root", home_.path()}};
  }

  void Restart() {
    releases_.reset();
    auto releases = HostReleases::Open(state_ / "agent");
    ASSERT_TRUE(releases.ok()) << releases.status();
    releases_ = *std::move(releases);
  }

  enum class Do { apply, undo, probe, probe_undo };

  AttemptEnd Run(
      const Action& action, const v1::Task& task, Do what, const std::string& rollout = "ro-1",
      const std::function<bool()>& stopping = [] { return false; }) {
    const CommandId id{{rollout}, Course::forward, 0, 0, {"web-1"}, 1};
    const bool back = what == Do::undo || what == Do::probe_undo;
    ActionContext ctx{clock_,
                      services_,
                      *releases_,
                      *hooks_,
                      content_,
                      *spool_,
                      [](std::string_view, std::uint64_t, std::uint64_t) {},
                      stopping,
                      id,
                      task,
                      vars_,
                      back ? Direction::undo : Direction::apply,
                      previous_,
                      clock_.Monotonic() + absl::Minutes(1)};
    switch (what) {
      case Do::apply:
        return action.Apply(ctx);
      case Do::undo:
        return action.Undo(ctx);
      case Do::probe:
      case Do::probe_undo:
        break;
    }
    return action.Probe(ctx);
  }

  v1::Task TaskFor(const std::string& digest) const {
    v1::Task task;
    task.set_step("the step");
    task.mutable_release()->set_digest(digest);
    task.mutable_release()->set_name("unified-media");
    task.mutable_release()->set_version(digest == old_ ? "1.0" : "2.0");
    return task;
  }
  v1::Task StageTask(const std::string& digest) const {
    v1::Task task = TaskFor(digest);
    task.mutable_action()->mutable_stage()->set_component("backend");
    task.mutable_action()->mutable_stage()->set_app("{{root}}/media");
    return task;
  }
  v1::Task SwitchTask(const std::string& digest) const {
    v1::Task task = TaskFor(digest);
    task.mutable_action()->mutable_switch_()->set_app("{{root}}/media");
    return task;
  }
  v1::Task ConfigureTask(const std::string& digest) const {
    v1::Task task = TaskFor(digest);
    v1::Configure& configure = *task.mutable_action()->mutable_configure();
    configure.set_from("media.toml.tmpl");
    configure.set_to("{{shared}}/etc/media.toml");
    configure.set_mode("0640");
    task.set_app("{{root}}/media");
    return task;
  }

  // The host as a finished rollout of the old release left it.
  void DeployOld() {
    ASSERT_EQ(Run(*stage_, StageTask(old_), Do::apply, "ro-0").verdict, Verdict::succeeded);
    ASSERT_EQ(Run(*switch_, SwitchTask(old_), Do::apply, "ro-0").verdict, Verdict::succeeded);
    ASSERT_TRUE(releases_->ReleasePins("ro-0").ok());
    previous_ = old_;
  }
  std::string app() const { return home_ / "media"; }

  TestDirectory home_, state_;
  ManualClock clock_;
  FakeServiceManager services_{clock_};
  ExecLauncher launcher_{{"/bin/false"}};
  FakeContentSource content_;
  std::unique_ptr<OutputSpool> spool_;
  std::unique_ptr<HookRunner> hooks_;
  std::unique_ptr<HostReleases> releases_;
  std::string old_, new_, previous_;
  std::map<std::string, std::string> vars_;
  const std::unique_ptr<Action> stage_ = MakeStage(), switch_ = MakeSwitch(),
                                configure_ = MakeConfigure();
};

TEST_F(ReleaseActionsTest, StageTwiceIsOnceAndItsUndoUnpins) {
  const v1::Task task = StageTask(new_);
  EXPECT_EQ(Run(*stage_, task, Do::probe).verdict, Verdict::not_applied);
  const AttemptEnd first = Run(*stage_, task, Do::apply);
  ASSERT_EQ(first.verdict, Verdict::succeeded) << first.message;
  EXPECT_EQ(first.message, "backend 2.0 is staged");
  Restart();
  EXPECT_EQ(Run(*stage_, task, Do::probe).verdict, Verdict::succeeded);
  const auto served = content_.BytesServed();
  EXPECT_EQ(Run(*stage_, task, Do::apply).message, "backend 2.0 was staged already");
  EXPECT_EQ(content_.BytesServed(), served);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(Run(*stage_, task, Do::probe_undo).verdict, Verdict::not_applied);
    EXPECT_EQ(Run(*stage_, task, Do::undo).verdict, Verdict::succeeded);
  }
  EXPECT_TRUE(releases_->IsStaged(app(), new_)) << "collection decides later";
  // Unpinned and behind newer ones, it goes.
  const std::string newer = content_.AddRelease("3.0", {{"backend/x", "3"}});
  ASSERT_EQ(Run(*stage_, StageTask(newer), Do::apply).verdict, Verdict::succeeded);
  ASSERT_EQ(Run(*stage_, StageTask(newer), Do::undo).verdict, Verdict::succeeded);
  ASSERT_TRUE(releases_->Collect(app(), 1).ok());
  EXPECT_FALSE(releases_->IsStaged(app(), new_));
}

TEST_F(ReleaseActionsTest, StageAsksAnAbsentSourceAgainUntilItsTimeIsUp) {
  int calls = 0;
  content_.OnPiece(10, [&](const std::string&) {
    return ++calls < 4 ? absl::UnavailableError("controller is away") : absl::OkStatus();
  });
  EXPECT_EQ(Run(*stage_, StageTask(new_), Do::apply).verdict, Verdict::succeeded);
  content_.OnPiece(
      10, [&](const std::string&) { return absl::UnavailableError("controller is away"); });
  const AttemptEnd late = Run(*stage_, StageTask(old_), Do::apply);
  EXPECT_EQ(late.verdict, Verdict::timed_out);
  EXPECT_THAT(late.message, HasSubstr("time is up"));
  const absl::Duration before = clock_.Monotonic();
  EXPECT_EQ(Run(*stage_, StageTask(old_), Do::apply, "ro-1", [] { return true; }).verdict,
            Verdict::failed);
  EXPECT_EQ(clock_.Monotonic(), before) << "a stopping agent does not wait";
}

TEST_F(ReleaseActionsTest, StageNamesWhatIsWrong) {
  v1::Task task = StageTask(new_);
  task.mutable_action()->mutable_stage()->set_component("bakend");
  EXPECT_THAT(Run(*stage_, task, Do::apply).message, HasSubstr("did you mean \"backend\""));
  task = StageTask(new_);
  task.mutable_action()->mutable_stage()->set_app("{{roto}}/media");
  EXPECT_THAT(Run(*stage_, task, Do::apply).message, HasSubstr("did you mean {{root}}"));
  EXPECT_EQ(Run(*stage_, StageTask(Digest::Of("none").ToString()), Do::apply).verdict,
            Verdict::failed);
}

TEST_F(ReleaseActionsTest, SwitchTwiceIsOnceAndItsUndoGoesBack) {
  DeployOld();
  ASSERT_EQ(Run(*stage_, StageTask(new_), Do::apply).verdict, Verdict::succeeded);
  const v1::Task task = SwitchTask(new_);
  EXPECT_EQ(Run(*switch_, task, Do::probe).verdict, Verdict::not_applied);
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(Run(*switch_, task, Do::apply).verdict, Verdict::succeeded);
    EXPECT_EQ(*releases_->CurrentDigest(app()), new_);
    EXPECT_EQ(Run(*switch_, task, Do::probe).verdict, Verdict::succeeded);
  }
  EXPECT_EQ(Run(*switch_, task, Do::probe_undo).verdict, Verdict::not_applied);
  for (int i = 0; i < 2; ++i) {
    Restart();
    ASSERT_EQ(Run(*switch_, task, Do::undo).verdict, Verdict::succeeded);
    EXPECT_EQ(*releases_->CurrentDigest(app()), old_);
    EXPECT_EQ(Run(*switch_, task, Do::probe_undo).verdict, Verdict::succeeded);
  }
}

TEST_F(ReleaseActionsTest, UndoOfTheFirstSwitchLeavesNothingLive) {
  ASSERT_EQ(Run(*stage_, StageTask(new_), Do::apply).verdict, Verdict::succeeded);
  ASSERT_EQ(Run(*switch_, SwitchTask(new_), Do::apply).verdict, Verdict::succeeded);
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(Run(*switch_, SwitchTask(new_), Do::undo).verdict, Verdict::succeeded);
    EXPECT_FALSE(home_.Has("media/current"));
  }
}

TEST_F(ReleaseActionsTest, SwitchRefusesWhatIsNotWholeNotStagedOrNotOurs) {
  DeployOld();
  EXPECT_EQ(Run(*switch_, SwitchTask(new_), Do::apply).verdict, Verdict::failed);
  ASSERT_EQ(Run(*stage_, StageTask(new_), Do::apply).verdict, Verdict::succeeded);
  const std::string dir = *releases_->ReleaseDir(app(), new_);
  ::chmod(dir.c_str(), 0755);
  std::ofstream(dir + "/planted") << "x";
  EXPECT_THAT(Run(*switch_, SwitchTask(new_), Do::apply).message, HasSubstr("planted"));
  EXPECT_EQ(*releases_->CurrentDigest(app()), old_);
  std::filesystem::remove(home_ / "media/current");
  std::filesystem::create_symlink("/opt/media", home_ / "media/current");
  const AttemptEnd foreign = Run(*switch_, SwitchTask(old_), Do::apply);
  EXPECT_EQ(foreign.verdict, Verdict::failed);
  EXPECT_THAT(foreign.message, HasSubstr("not made by this agent"));
  EXPECT_EQ(std::filesystem::read_symlink(home_ / "media/current"), "/opt/media");
}

TEST_F(ReleaseActionsTest, ConfigureTwiceIsOnceAndUndoRestoresBytesOwnerAndModeExactly) {
  DeployOld();
  ASSERT_EQ(Run(*stage_, StageTask(new_), Do::apply).verdict, Verdict::succeeded);
  const std::string file =
      home_.Write("media/shared/etc/media.toml", std::string("by hand\0\n", 9));
  ASSERT_EQ(::chmod(file.c_str(), 0604), 0);
  if (::geteuid() == 0) {
    ASSERT_EQ(::chown(file.c_str(), 12345, 23456), 0);
  }
  const ConfigPath path = *ResolveConfigPath(app(), file);
  const FileState before = *ReadConfig(path);
  const v1::Task task = ConfigureTask(new_);
  EXPECT_EQ(Run(*configure_, task, Do::probe).verdict, Verdict::not_applied);
  for (int i = 0; i < 3; ++i) {
    const AttemptEnd end = Run(*configure_, task, Do::apply);
    ASSERT_EQ(end.verdict, Verdict::succeeded) << end.message;
    EXPECT_EQ(home_.Read("media/shared/etc/media.toml"),
              "# 2.0\nport = 8080\n" + app() + "/shared\n");
    EXPECT_EQ(ReadConfig(path)->mode, 0640u);
    EXPECT_EQ(Run(*configure_, task, Do::probe).verdict, Verdict::succeeded);
    Restart();
  }
  EXPECT_EQ(releases_->Rendered(app(), new_, file)->bytes,
            home_.Read("media/shared/etc/media.toml"));
  EXPECT_EQ(Run(*configure_, task, Do::probe_undo).verdict, Verdict::not_applied);
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(Run(*configure_, task, Do::undo).verdict, Verdict::succeeded);
    EXPECT_EQ(*ReadConfig(path), before);
    EXPECT_EQ(Run(*configure_, task, Do::probe_undo).verdict, Verdict::succeeded);
    Restart();
  }
}

// Somebody who may write in the application's directory, as fast as they can.
TEST_F(ReleaseActionsTest, TemplateIsNeverReadBehindALinkThatIsPlantedMeanwhile) {
  constexpr int kRounds = 1'000, kSwaps = 10'000;
  ASSERT_EQ(Run(*stage_, StageTask(new_), Do::apply).verdict, Verdict::succeeded);
  home_.Write("elsewhere/media.toml.tmpl", "planted\n");
  const std::string folder = *releases_->ReleaseDir(app(), new_), link = home_ / "link";
  std::filesystem::create_directory_symlink(home_ / "elsewhere", link);
  const auto swap = [&] {
    return ::renameat2(AT_FDCWD, folder.c_str(), AT_FDCWD, link.c_str(), RENAME_EXCHANGE) == 0;
  };
  std::atomic<bool> over = false;
  std::atomic<int> swaps = 0;
  std::thread swapper([&] {
    while (!over) swaps += swap() ? 1 : 0;
  });
  const v1::Task task = ConfigureTask(new_);
  bool planted = false;
  for (int round = 0; !planted && (round < kRounds || swaps < kSwaps); ++round) {
    (void)Run(*configure_, task, Do::apply);
    planted = home_.Has("media/shared/etc/media.toml") &&
              home_.Read("media/shared/etc/media.toml") == "planted\n";
  }
  over = true;
  swapper.join();
  EXPECT_FALSE(planted);
  if (std::filesystem::is_symlink(folder)) {
    ASSERT_TRUE(swap());
  }
  EXPECT_EQ(Run(*configure_, task, Do::apply).verdict, Verdict::succeeded);
  EXPECT_EQ(home_.Read("media/shared/etc/media.toml"),
            "# 2.0\nport = 8080\n" + app() + "/shared\n");
}

TEST_F(ReleaseActionsTest, UndoOfANewConfigurationFileRemovesIt) {
  ASSERT_EQ(Run(*stage_, StageTask(new_), Do::apply).verdict, Verdict::succeeded);
  const v1::Task task = ConfigureTask(new_);
  EXPECT_EQ(Run(*configure_, task, Do::undo).verdict, Verdict::succeeded) << "never written";
  ASSERT_EQ(Run(*configure_, task, Do::apply).verdict, Verdict::succeeded);
  EXPECT_TRUE(home_.Has("media/shared/etc/media.toml"));
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(Run(*configure_, task, Do::undo).verdict, Verdict::succeeded);
    EXPECT_FALSE(home_.Has("media/shared/etc/media.toml"));
  }
}

// The crash windows: recorded but not written; written but not recorded as rendered.
TEST_F(ReleaseActionsTest, ConfigureCutOffAnywhereStillRestoresTheFirstState) {
  ASSERT_EQ(Run(*stage_, StageTask(new_), Do::apply).verdict, Verdict::succeeded);
  const std::string file = home_.Write("media/shared/etc/media.toml", "original");
  const FileState before = *ReadConfig(*ResolveConfigPath(app(), file));
  ASSERT_TRUE(releases_->RememberBefore(app(), "ro-1", file, before).ok());
  home_.Write("media/shared/etc/.media.toml.slipway-new", "torn");
  Restart();
  EXPECT_EQ(Run(*configure_, ConfigureTask(new_), Do::probe).verdict, Verdict::not_applied);
  ASSERT_EQ(Run(*configure_, ConfigureTask(new_), Do::apply).verdict, Verdict::succeeded);
  EXPECT_FALSE(home_.Has("media/shared/etc/.media.toml.slipway-new"));
  ASSERT_EQ(Run(*configure_, ConfigureTask(new_), Do::undo).verdict, Verdict::succeeded);
  EXPECT_EQ(home_.Read("media/shared/etc/media.toml"), "original");
}

TEST_F(ReleaseActionsTest, TemplatesAreStrict) {
  vars_.erase("port");
  ASSERT_EQ(Run(*stage_, StageTask(new_), Do::apply).verdict, Verdict::succeeded);
  const AttemptEnd end = Run(*configure_, ConfigureTask(new_), Do::apply);
  EXPECT_EQ(end.verdict, Verdict::failed);
  EXPECT_EQ(end.message, "media.toml.tmpl:2:8: variable {{port}} is not defined");
  EXPECT_FALSE(home_.Has("media/shared/etc/media.toml"));
}

TEST_F(ReleaseActionsTest, ConfigureStaysWhereItMayWrite) {
  TestDirectory outside;
  ASSERT_EQ(Run(*stage_, StageTask(new_), Do::apply).verdict, Verdict::succeeded);
  std::filesystem::create_directories(home_ / "media/shared");
  std::filesystem::create_directory_symlink(outside.path(), home_ / "media/shared/etc");
  EXPECT_EQ(Run(*configure_, ConfigureTask(new_), Do::apply).verdict, Verdict::failed);
  EXPECT_FALSE(outside.Has("media.toml"));
  for (const std::string to : {"{{shared}}/../x", "relative", "/", "{{shared}}//x"}) {
    v1::Task task = ConfigureTask(new_);
    task.mutable_action()->mutable_configure()->set_to(to);
    EXPECT_EQ(Run(*configure_, task, Do::apply).verdict, Verdict::failed) << to;
  }
  v1::Task task = ConfigureTask(new_);
  task.mutable_action()->mutable_configure()->set_from("../../../etc/passwd");
  EXPECT_EQ(Run(*configure_, task, Do::apply).verdict, Verdict::failed);
}

TEST(ConfigFile, OwnersAndModesAreReadStrictly) {
  EXPECT_EQ(*ParseMode(""), 0644u);
  EXPECT_EQ(*ParseMode("0640"), 0640u);
  EXPECT_EQ(*ParseMode("600"), 0600u);
  for (const std::string bad : {"rw-", "0889", "4755", "07777777", "-1", " 640"}) {
    EXPECT_FALSE(ParseMode(bad).ok()) << bad;
  }
  EXPECT_EQ(ParseOwner("root")->owner, 0u);
  EXPECT_EQ(ParseOwner("root:daemon")->group, 1u);
  EXPECT_THAT(std::string(ParseOwner("no-such-user").status().message()),
              HasSubstr("no-such-user"));
}

TEST(ConfigFile, ChangesAreCountedAndNeverShown) {
  const FileState before{true, "a\npassword=1\n", 0, 0, 0644};
  FileState after = before;
  EXPECT_EQ(DescribeChange(before, after), "unchanged");
  after.bytes = "a\npassword=2\nb\n";
  EXPECT_EQ(DescribeChange(before, after), "2 lines added, 1 removed");
  after = before;
  after.mode = 0600;
  EXPECT_EQ(DescribeChange(before, after), "owner or mode changed");
  EXPECT_EQ(DescribeChange({}, before), "new file");
}

}  // namespace
}  // namespace slipway::agent
