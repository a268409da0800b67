// start, bake and stop against real processes of releases that are broken in five ways.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>
#include <sstream>

#include "agent/actions/action_table.h"
#include "agent/health/health_monitor.h"
#include "agent/releases/fake_content_source.h"
#include "agent/releases/host_releases.h"
#include "agent/services/hook_runner.h"
#include "agent/state/output_spool.h"
#include "common/fs/test_directory.h"
#include "slipway/v1/action.pb.h"
#include "tests/conformance/service_hosts.h"
#include "tests/conformance/service_rig.h"

namespace slipway::agent {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string Program() {
  std::ifstream file(SLIPWAY_SERVICE_TESTBIN, std::ios::binary);
  std::stringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

class RealServiceActionsTest : public testing::Test {
 protected:
  ~RealServiceActionsTest() override {
    (void)rig_->services().Stop({app(), "shop"}, {.ladder = {{.signal = SIGKILL}}});
  }
  std::string app() const { return home_ / "shop"; }

  // Stages a release whose service has `conduct` among its arguments.
  v1::Task Staged(const std::vector<std::string>& conduct,
                  v1::Service::Identity identity = v1::Service::EXE) {
    v1::Release release;
    release.set_name("shop");
    release.set_version("2.0");
    v1::Component& component = *release.add_components();
    component.set_name("backend");
    component.set_path("backend/");
    v1::Service& service = *release.add_services();
    service.set_name("shop");
    service.set_component("backend");
    service.set_port(port_);
    service.set_identity(identity);
    std::vector<std::string> argv = {"bin/shop", "--port", std::to_string(port_), "--version",
                                     "2.0"};
    argv.insert(argv.end(), conduct.begin(), conduct.end());
    rig_->Define(app(), argv, service);
    for (const char* rung : {"TERM", "500ms", "KILL"}) service.add_ladder(rung);
    v1::Ready& ready = *service.mutable_ready();
    ready.set_must_match("listening");
    ready.add_must_not_match("FATAL");
    ready.set_http("http://127.0.0.1:{{port}}/health");
    ready.mutable_deadline()->set_seconds(2);
    release.set_digest(content_.AddRelease(release, {{"backend/bin/shop", Program(), 0755}}));
    const absl::Status staged =
        releases_->Stage({app(), release.digest(), "backend", "ro-1", 5}, content_, {});
    EXPECT_TRUE(staged.ok()) << staged;
    EXPECT_TRUE(releases_->SwitchTo(app(), release.digest()).ok());
    v1::Task task;
    task.set_app(app());
    *task.mutable_release() = release;
    return task;
  }
  AttemptEnd Start(v1::Task task) {
    task.mutable_action()->mutable_start()->set_service("shop");
    return Do(*MakeStart(), task);
  }
  AttemptEnd Stop(v1::Task task) {
    task.mutable_action()->mutable_stop()->set_service("shop");
    return Do(*MakeStop(), task);
  }
  AttemptEnd Bake(v1::Task task) {
    task.mutable_action()->mutable_bake()->mutable_lasts()->set_seconds(4);
    task.mutable_action()->mutable_bake()->add_apps(app());
    return Do(*MakeBake(), task);
  }
  AttemptEnd Do(const Action& action, const v1::Task& task) {
    const CommandId id{.rollout = {"ro-1"}, .host = {"web-1"}, .attempt = ++attempt_};
    const std::map<std::string, std::string> vars;
    ActionContext ctx{.clock = SystemClock(),
                      .services = rig_->services(),
                      .releases = *releases_,
                      .hooks = *hooks_,
                      .content = content_,
                      .output = *spool_,
                      .progress = [](std::string_view, std::uint64_t, std::uint64_t) {},
                      .stopping = [] { return false; },
                      .id = id,
                      .task = task,
                      .vars = vars,
                      .direction = Direction::apply,
                      .previous = "",
                      .deadline = SystemClock().Monotonic() + absl::Minutes(1)};
    return action.Apply(ctx);
  }

  const std::uint16_t port_ = UnusedPort();
  TestDirectory home_;
  FakeContentSource content_;
  ExecLauncher launcher_{{SLIPWAY_EXEC_SHIM}};
  std::unique_ptr<HostReleases> releases_ = *HostReleases::Open(home_ / "agent");
  std::unique_ptr<HookRunner> hooks_ = *HookRunner::Open(home_ / "hooks", launcher_, SystemClock());
  std::unique_ptr<ServiceRig> rig_ = MakeServiceRig(home_.path());
  std::unique_ptr<OutputArchive> archive_ = *OutputArchive::Open(home_ / "output");
  std::unique_ptr<OutputSpool> spool_ = *archive_->SpoolOf({.rollout = {"ro-1"}, .host = {"h"}});
  int attempt_ = 0;
};

TEST_F(RealServiceActionsTest, GoodReleaseStartsBakesIsObservedAndStops) {
  const v1::Task task = Staged({});
  const AttemptEnd started = Start(task);
  ASSERT_EQ(started.verdict, Verdict::succeeded) << started.message;
  HealthMonitor health(SystemClock(), *releases_, rig_->services());
  const std::string digest = task.release().digest();
  EXPECT_EQ(health.Observe().at(app()), (Version{digest, digest, "2.0", true}));
  const AttemptEnd baked = Bake(task);
  EXPECT_EQ(baked.verdict, Verdict::succeeded) << baked.message;
  EXPECT_TRUE(releases_->RanHealthily(app(), digest));
  const AttemptEnd stopped = Stop(task);
  EXPECT_EQ(stopped.verdict, Verdict::succeeded) << stopped.message;
  EXPECT_THAT(stopped.message, HasSubstr("by SIGTERM"));
  EXPECT_EQ(health.Observe().at(app()), (Version{digest, "", "2.0", false}));
}

TEST_F(RealServiceActionsTest, AnswerProvesTheReleaseAtEachLook) {
  const v1::Task task = Staged({}, v1::Service::HTTP);
  const std::string digest = task.release().digest();
  const AttemptEnd started = Start(task);
  ASSERT_EQ(started.verdict, Verdict::succeeded) << started.message;
  rig_->RestartAgent();
  HealthMonitor health(SystemClock(), *releases_, rig_->services());
  EXPECT_EQ(health.Observe().at(app()), (Version{digest, digest, "2.0", true}));
  v1::Task check = task;
  check.mutable_action()->mutable_check()->set_process("shop");
  EXPECT_EQ(Do(*MakeCheck(), check).verdict, Verdict::succeeded);
}

TEST_F(RealServiceActionsTest, AnswerThatNamesAnotherVersionProvesNothing) {
  v1::Task task = Staged({"--version", "2.0.1"}, v1::Service::HTTP);  // the last one holds
  const AttemptEnd end = Start(task);
  EXPECT_EQ(end.verdict, Verdict::failed);
  EXPECT_THAT(end.message, HasSubstr("does not name version 2.0"));
  HealthMonitor health(SystemClock(), *releases_, rig_->services());
  EXPECT_EQ(health.Observe().at(app()),
            (Version{task.release().digest(), "unproven", "2.0", false}));
  EXPECT_THAT(health.Look().services.at(0).detail, HasSubstr("does not name version 2.0"));
}

TEST_F(RealServiceActionsTest, ReleaseThatDiesAtStartFailsItInItsOwnWords) {
  const AttemptEnd end = Start(Staged({"--die-after", "0", "--say", "warming up"}));
  EXPECT_EQ(end.verdict, Verdict::failed);
  EXPECT_THAT(end.message, HasSubstr("FATAL out of luck"));
}

TEST_F(RealServiceActionsTest, ReleaseThatDiesTwoSecondsLaterFailsTheBake) {
  const v1::Task task = Staged({"--die-after", "2000"});
  const AttemptEnd started = Start(task);
  ASSERT_EQ(started.verdict, Verdict::succeeded) << started.message;
  const AttemptEnd baked = Bake(task);
  EXPECT_EQ(baked.verdict, Verdict::failed);
  EXPECT_THAT(baked.message, HasSubstr("FATAL out of luck"));
}

TEST_F(RealServiceActionsTest, ReleaseThatIsNeverHealthyFailsAtTheDeadlineWithTheReason) {
  const AttemptEnd end = Start(Staged({"--status", "503"}));
  EXPECT_EQ(end.verdict, Verdict::failed);
  EXPECT_THAT(end.message, AllOf(HasSubstr("not ready within 2s"), HasSubstr("answered 503")));
}

TEST_F(RealServiceActionsTest, ReleaseThatLogsFatalFailsThoughItAnswers) {
  const AttemptEnd end = Start(Staged({"--say", "listening, but FATAL: no index"}));
  EXPECT_EQ(end.verdict, Verdict::failed);
  EXPECT_THAT(end.message, HasSubstr("logged \"listening, but FATAL: no index\""));
}

TEST_F(RealServiceActionsTest, ReleaseThatIgnoresTermIsKilled) {
  const v1::Task task = Staged({"--ignore-term"});
  ASSERT_EQ(Start(task).verdict, Verdict::succeeded);
  const AttemptEnd end = Stop(task);
  EXPECT_EQ(end.verdict, Verdict::succeeded) << end.message;
  EXPECT_THAT(end.message, HasSubstr("by SIGKILL"));
}

}  // namespace
}  // namespace slipway::agent
