// check, run, preflight and readiness.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "agent/actions/action_table.h"
#include "agent/actions/test_host.h"

namespace slipway::agent {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class ProbingActionsTest : public testing::Test {
 protected:
  v1::Task RunTask(const std::string& hook) {
    v1::Task task = host_.Task();
    task.mutable_action()->mutable_run()->set_hook("hooks/" + hook);
    task.mutable_action()->mutable_run()->add_args("{{release.version}}!");
    return task;
  }
  AttemptEnd Run(const std::string& hook, const TestHost::Attempt& attempt = {}) {
    return host_.Do(*run_, RunTask(hook), attempt);
  }
  AttemptEnd Check(const std::function<void(v1::Check&)>& fill,
                   const TestHost::Attempt& attempt = {}) {
    v1::Task task = host_.Task();
    fill(*task.mutable_action()->mutable_check());
    return host_.Do(*check_, task, attempt);
  }
  AttemptEnd Preflight(const std::function<void(v1::Preflight&)>& fill) {
    v1::Task task = host_.Task();
    fill(*task.mutable_action()->mutable_preflight());
    return host_.Do(*preflight_, task);
  }
  AttemptEnd Readiness(bool staged, const TestHost::Attempt& attempt = {}) {
    v1::Task task = host_.Task();
    task.mutable_action()->mutable_readiness()->add_apps(host_.app());
    if (staged) task.mutable_action()->mutable_readiness()->add_staged(host_.app());
    return host_.Do(*readiness_, task, attempt);
  }
  std::string ProgramOf(const std::string& version) {
    return *host_.releases().ReleaseDir(host_.app(), host_.digest(version)) + "/bin/shop";
  }
  // As somebody with root's rights would do by hand.
  void Spoil(const std::string& path) {
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    std::ofstream(path) << "spoilt";
  }

  TestHost host_;
  const std::unique_ptr<Action> run_ = MakeRun(), check_ = MakeCheck(),
                                preflight_ = MakePreflight(), readiness_ = MakeReadiness();
};

TEST_F(ProbingActionsTest, HookGetsItsEnvironmentAndArguments) {
  const AttemptEnd end = Run("ok");
  EXPECT_EQ(end.verdict, Verdict::succeeded) << end.message;
  EXPECT_EQ(host_.said(), "2.0 after 1.0 2.0! on web-1\n");
}

TEST_F(ProbingActionsTest, HookForThePreviousReleaseIsThatReleasesOwn) {
  EXPECT_EQ(Run("ok", {.direction = Direction::previous}).verdict, Verdict::succeeded);
  EXPECT_EQ(host_.said(), "1.0 after 1.0 1.0! on web-1\n");
  EXPECT_EQ(Run("ok", {.direction = Direction::previous, .previous = ""}).message,
            "nothing was deployed before");
}

TEST_F(ProbingActionsTest, StatusOfAHookDecides) {
  EXPECT_EQ(Run("later").verdict, Verdict::try_later);
  const AttemptEnd failed = Run("fails", {.number = 2});
  EXPECT_EQ(failed.verdict, Verdict::failed);
  EXPECT_EQ(failed.message, "hooks/fails exited with status 3");
  EXPECT_THAT(host_.said(), HasSubstr("it went wrong"));
}

TEST_F(ProbingActionsTest, HookThatIsNotDeclaredIsRefusedByName) {
  EXPECT_EQ(Run("absent").message, "release shop 2.0 declares no hook hooks/absent");
}

TEST_F(ProbingActionsTest, HookIsEndedAtTheDeadline) {
  const AttemptEnd end = Run("slow", {.timeout = absl::Milliseconds(200)});
  EXPECT_EQ(end.verdict, Verdict::timed_out);
  EXPECT_THAT(end.message, HasSubstr("after its time was up"));
}

TEST_F(ProbingActionsTest, UndoOfAHookIsAsDeclared) {
  EXPECT_EQ(Run("ok", {.direction = Direction::undo}).message, "hooks/ok needs no undo");
  EXPECT_EQ(Run("fails", {.direction = Direction::undo}).verdict, Verdict::failed);
  EXPECT_EQ(Run("gone", {.direction = Direction::undo, .number = 2}).message,
            "hooks/ok exited with status 0");
}

TEST_F(ProbingActionsTest, ProbeOfAHookNeverRunsIt) {
  EXPECT_EQ(Run("ok", {.probe = true}).verdict, Verdict::not_applied);
  EXPECT_EQ(host_.said(), "");
  ASSERT_EQ(Run("fails").verdict, Verdict::failed);
  EXPECT_EQ(Run("fails", {.probe = true}).verdict, Verdict::failed);
}

TEST_F(ProbingActionsTest, ProcessCheckWantsWhatIsLive) {
  const auto process = [](v1::Check& check) { check.set_process("shop"); };
  EXPECT_THAT(Check(process).message, HasSubstr("shop does not run"));
  host_.RunShop("1.0");
  EXPECT_EQ(Check(process).verdict, Verdict::succeeded);
  ASSERT_TRUE(host_.releases().SwitchTo(host_.app(), host_.digest("2.0")).ok());
  EXPECT_THAT(Check(process).message, HasSubstr("not what " + host_.app() + "/current names"));
}

TEST_F(ProbingActionsTest, CheckIsRepeatedEachSecondUntilItsDeadline) {
  const absl::Duration began = host_.clock.Monotonic();
  const AttemptEnd end = Check([](v1::Check& check) {
    check.set_process("shop");
    check.mutable_deadline()->set_seconds(5);
  });
  EXPECT_EQ(end.verdict, Verdict::failed);
  EXPECT_THAT(end.message, HasSubstr("(6 tries in 5s)"));
  EXPECT_EQ(host_.clock.Monotonic() - began, absl::Seconds(5));
}

TEST_F(ProbingActionsTest, ExecCheckRunsAProgramOfTheRelease) {
  const auto exec = [](const std::string& path) {
    return [path](v1::Check& check) { check.add_exec(path); };
  };
  EXPECT_EQ(Check(exec("hooks/ok")).verdict, Verdict::succeeded);
  EXPECT_THAT(Check(exec("hooks/fails"), {.number = 2}).message,
              HasSubstr("hooks/fails exited with status 3"));
}

TEST_F(ProbingActionsTest, CheckThatCannotBeRenderedIsNotRepeated) {
  const absl::Duration began = host_.clock.Monotonic();
  const AttemptEnd end = Check([](v1::Check& check) {
    check.set_http("http://{{nowhere}}/");
    check.mutable_deadline()->set_seconds(60);
  });
  EXPECT_THAT(end.message, HasSubstr("nowhere"));
  EXPECT_EQ(host_.clock.Monotonic(), began);
}

TEST_F(ProbingActionsTest, PreflightGathersAllProblems) {
  const AttemptEnd end = Preflight([](v1::Preflight& ask) {
    ask.set_disk_free(std::uint64_t{1} << 60);
    ask.set_memory_free(std::uint64_t{1} << 60);
    ask.set_cpus(100'000);
    ask.set_inodes_free(std::uint64_t{1} << 60);
    ask.add_env("SLIPWAY_TEST_NOT_SET");
    ask.add_files("/nowhere/file");
    ask.add_reach("127.0.0.1:1");
    ask.mutable_clock_within()->set_seconds(1);
  });
  EXPECT_EQ(end.verdict, Verdict::failed);
  for (const char* part :
       {"1048576.0 TiB wanted", "of memory available", "processors online", "inodes free",
        "SLIPWAY_TEST_NOT_SET is not set", "/nowhere/file does not exist",
        "cannot reach 127.0.0.1:1", "clock is not known"}) {
    EXPECT_THAT(end.message, HasSubstr(part));
  }
}

TEST_F(ProbingActionsTest, FitHostPassesPreflight) {
  const AttemptEnd end = Preflight([](v1::Preflight& ask) {
    ask.set_disk_free(1);
    ask.set_memory_free(1);
    ask.set_cpus(1);
    ask.add_files("/proc/self/stat");
    ask.add_env("PATH");
  });
  EXPECT_EQ(end.verdict, Verdict::succeeded) << end.message;
}

TEST_F(ProbingActionsTest, ReadinessProvesBothReleases) {
  const AttemptEnd end = Readiness(true);
  EXPECT_EQ(end.verdict, Verdict::succeeded) << end.message;
  EXPECT_THAT(end.message, HasSubstr("1.0 is whole and ran healthily here"));
  Spoil(ProgramOf("2.0"));
  EXPECT_EQ(Readiness(false).verdict, Verdict::succeeded);
  const AttemptEnd spoilt = Readiness(true);
  EXPECT_EQ(spoilt.verdict, Verdict::failed);
  EXPECT_THAT(spoilt.message, HasSubstr("bin/shop"));
}

TEST_F(ProbingActionsTest, ReadinessRefusesASpoiltWayBack) {
  Spoil(ProgramOf("1.0"));
  EXPECT_EQ(Readiness(false).verdict, Verdict::failed);
}

TEST_F(ProbingActionsTest, FirstDeploymentHasItsWayBackToNothing) {
  ASSERT_TRUE(host_.releases().SwitchTo(host_.app(), "").ok());
  EXPECT_THAT(Readiness(true, {.previous = ""}).message, HasSubstr("the way back is to nothing"));
}

TEST_F(ProbingActionsTest, ReadinessRefusesAWayBackThatNeverRanHealthily) {
  ASSERT_TRUE(host_.releases().SwitchTo(host_.app(), host_.digest("2.0")).ok());
  v1::Task task = host_.Task();
  *task.mutable_release() = host_.Release("1.0");  // away from 2.0, whose bake never passed
  task.mutable_action()->mutable_readiness()->add_apps(host_.app());
  const TestHost::Attempt from_2_0 = {.previous = "2.0"};
  const AttemptEnd refused = host_.Do(*readiness_, task, from_2_0);
  EXPECT_EQ(refused.verdict, Verdict::failed);
  EXPECT_THAT(refused.message, HasSubstr("2.0 is whole, but never proved to run healthily here"));
  EXPECT_THAT(refused.message, HasSubstr("--accept-unproven 2.0"));

  task.mutable_action()->mutable_readiness()->add_accept_unproven("1.9");
  EXPECT_EQ(host_.Do(*readiness_, task, from_2_0).verdict, Verdict::failed);
  for (const std::string& name : {std::string("2.0"), host_.digest("2.0")}) {
    *task.mutable_action()->mutable_readiness()->mutable_accept_unproven(0) = name;
    const AttemptEnd accepted = host_.Do(*readiness_, task, from_2_0);
    EXPECT_EQ(accepted.verdict, Verdict::succeeded) << accepted.message;
    EXPECT_THAT(accepted.message, HasSubstr("accepted by name"));
  }
}

TEST_F(ProbingActionsTest, TheSameReleaseAgainNeedsNoOtherWayBack) {
  ASSERT_TRUE(host_.releases().SwitchTo(host_.app(), host_.digest("2.0")).ok());
  const AttemptEnd end = Readiness(true, {.previous = "2.0"});
  EXPECT_EQ(end.verdict, Verdict::succeeded) << end.message;
  EXPECT_THAT(end.message, HasSubstr("what the rollout brings"));
}

TEST_F(ProbingActionsTest, ReadinessRefusesAWayBackThatWasNotPlanned) {
  const AttemptEnd unknown = Readiness(true, {.previous = ""});
  EXPECT_EQ(unknown.verdict, Verdict::failed) << "1.0 is live, and nobody had looked";
  EXPECT_THAT(unknown.message, HasSubstr("planned from nothing"));
  ASSERT_TRUE(host_.releases().SwitchTo(host_.app(), "").ok());
  const AttemptEnd gone = Readiness(true);
  EXPECT_EQ(gone.verdict, Verdict::failed);
  EXPECT_THAT(gone.message, HasSubstr("current names nothing"));
}

TEST_F(ProbingActionsTest, DeadServiceIsTheReasonOfWhatFailsAfterIt) {
  host_.RunShop("2.0");
  EXPECT_EQ(Run("later").verdict, Verdict::try_later) << "it lives";
  host_.services.Log(host_.shop(), "FATAL worker lost its index\n");
  host_.services.Die(host_.shop());
  const AttemptEnd hook = Run("later", {.number = 2});
  EXPECT_EQ(hook.verdict, Verdict::failed) << "waiting does not help";
  EXPECT_THAT(hook.message, AllOf(HasSubstr("try later"), HasSubstr("service shop"),
                                  HasSubstr("FATAL worker lost its index")));
  EXPECT_THAT(host_.said(), HasSubstr("FATAL worker lost its index"));
  const AttemptEnd check = Check([](v1::Check& ask) {
    ask.set_tcp("127.0.0.1:1");
    ask.mutable_deadline()->set_seconds(60);
  });
  EXPECT_EQ(check.verdict, Verdict::failed);
  EXPECT_THAT(check.message, HasSubstr("FATAL worker lost its index"));
}

}  // namespace
}  // namespace slipway::agent
