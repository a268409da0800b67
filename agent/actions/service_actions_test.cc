// stop, start and bake against services that behave and misbehave.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "agent/actions/action_table.h"
#include "agent/actions/test_host.h"

namespace slipway::agent {
namespace {

using State = ServiceStatus::State;
using testing::AllOf;
using testing::HasSubstr;

constexpr auto kUndo = Direction::undo;

class ServiceActionsTest : public testing::Test {
 protected:
  v1::Task StopTask() {
    v1::Task task = host_.Task();
    task.mutable_action()->mutable_stop()->set_service("shop");
    return task;
  }
  v1::Task StartTask() {
    v1::Task task = host_.Task();
    task.mutable_action()->mutable_start()->set_service("shop");
    return task;
  }
  v1::Task BakeTask(int seconds) {
    v1::Task task = host_.Task();
    task.mutable_action()->mutable_bake()->mutable_lasts()->set_seconds(seconds);
    task.mutable_action()->mutable_bake()->add_apps(host_.app());
    return task;
  }
  AttemptEnd Stop(const TestHost::Attempt& attempt = {}) {
    return host_.Do(*stop_, StopTask(), attempt);
  }
  AttemptEnd Start(const TestHost::Attempt& attempt = {}) {
    return host_.Do(*start_, StartTask(), attempt);
  }
  AttemptEnd Bake(int seconds, const TestHost::Attempt& attempt = {}) {
    return host_.Do(*bake_, BakeTask(seconds), attempt);
  }
  ServiceStatus Shop() const { return host_.services.Inspect(host_.shop()); }

  TestHost host_;
  const std::unique_ptr<Action> stop_ = MakeStop(), start_ = MakeStart(), bake_ = MakeBake();
};

TEST_F(ServiceActionsTest, StopByTheDefinitionOfWhatRuns) {
  host_.RunShop("1.0");
  const AttemptEnd end = Stop();
  EXPECT_EQ(end.verdict, Verdict::succeeded);
  EXPECT_THAT(end.message, HasSubstr("shop 1.0 stopped by SIGTERM"));
  EXPECT_EQ(Shop().state, State::stopped);
}

TEST_F(ServiceActionsTest, StopOfWhatNeverRanIsSuccess) {
  EXPECT_EQ(Stop().message, "shop does not run");
}

TEST_F(ServiceActionsTest, StopThatFailsNamesTheService) {
  host_.services.Conducts(host_.shop(), {.leaves_process = true});
  host_.RunShop("1.0");
  const AttemptEnd end = Stop();
  EXPECT_EQ(end.verdict, Verdict::timed_out);
  EXPECT_THAT(end.message, HasSubstr("shop (pid"));
}

TEST_F(ServiceActionsTest, DrainAndLadderOfThePlanWin) {
  host_.services.Conducts(host_.shop(), {.ignores_term = true});
  host_.RunShop("1.0");
  host_.services.SetConnections(host_.shop(), 2);
  v1::Task task = StopTask();
  task.mutable_action()->mutable_stop()->mutable_drain()->set_seconds(7);
  task.mutable_action()->mutable_stop()->add_ladder("KILL");
  const AttemptEnd end = host_.Do(*stop_, task);
  EXPECT_EQ(end.verdict, Verdict::succeeded);
  EXPECT_THAT(end.message, AllOf(HasSubstr("by SIGKILL"), HasSubstr("2 connections still open")));
}

TEST_F(ServiceActionsTest, ReadyServiceGetsTrafficAndLosesItBeforeItsConnectionsEnd) {
  const std::string file = host_.app() + "/shared/in-traffic";
  host_.services.Conducts(host_.shop(), {.first_words = ""});
  ASSERT_EQ(Start().verdict, Verdict::failed);
  EXPECT_FALSE(std::filesystem::exists(file)) << "it never was ready";
  ASSERT_EQ(Start({.direction = kUndo}).verdict, Verdict::succeeded);
  host_.services.Conducts(host_.shop(), {});
  ASSERT_EQ(Start({.number = 2}).verdict, Verdict::succeeded);
  EXPECT_TRUE(std::filesystem::exists(file));

  // While the balancer takes its time the service goes on, and nothing counts its connections.
  bool there = true;
  State during = State::stopped;
  host_.services.SetConnections(host_.shop(), 1);
  v1::Task task = StopTask();
  task.mutable_action()->mutable_stop()->mutable_drain()->set_seconds(3);
  host_.on_progress = [&](std::string_view text) {
    if (text.find("out of traffic") == std::string_view::npos) return;
    there = std::filesystem::exists(file);
    during = Shop().state;
  };
  const absl::Duration began = host_.clock.Monotonic();
  const AttemptEnd end = host_.Do(*stop_, task);
  EXPECT_EQ(end.verdict, Verdict::succeeded) << end.message;
  EXPECT_FALSE(there);
  EXPECT_EQ(during, State::running);
  EXPECT_GE(host_.clock.Monotonic() - began, absl::Seconds(1 + 3));
}

TEST_F(ServiceActionsTest, ProbeSeesAStartThatWasCutOffBeforeTheTraffic) {
  ASSERT_EQ(Start().verdict, Verdict::succeeded);
  std::filesystem::remove(host_.app() + "/shared/in-traffic");
  EXPECT_EQ(Start({.probe = true}).verdict, Verdict::not_applied);
  ASSERT_EQ(Start({.number = 2}).verdict, Verdict::succeeded);
  EXPECT_EQ(Start({.probe = true}).verdict, Verdict::succeeded);
  EXPECT_EQ(host_.services.StartsOf(host_.shop()), 1);
}

TEST_F(ServiceActionsTest, StartThatARebootInterruptedIsNotTheReleasesFault) {
  ASSERT_EQ(Start().verdict, Verdict::succeeded);
  host_.services.Reboot();
  host_.RestartAgent();
  const AttemptEnd probed = Start({.probe = true});
  EXPECT_EQ(probed.verdict, Verdict::not_applied);
  EXPECT_THAT(probed.message, HasSubstr("shop 2.0 ended with the machine"));
  EXPECT_EQ(Start({.number = 2}).verdict, Verdict::succeeded);
  EXPECT_EQ(Start({.probe = true}).verdict, Verdict::succeeded);
  host_.services.Die(host_.shop());
  EXPECT_EQ(Start({.probe = true}).verdict, Verdict::failed) << "of its own";
}

TEST_F(ServiceActionsTest, FileOfADeadServiceIsTakenAwayWithoutWaiting) {
  ASSERT_EQ(Start().verdict, Verdict::succeeded);
  host_.services.Die(host_.shop());
  const absl::Duration began = host_.clock.Monotonic();
  ASSERT_EQ(Stop().verdict, Verdict::succeeded);
  EXPECT_FALSE(std::filesystem::exists(host_.app() + "/shared/in-traffic"));
  EXPECT_EQ(host_.clock.Monotonic(), began);
}

TEST_F(ServiceActionsTest, UndoOfStopStartsWhatWasThereBefore) {
  host_.RunShop("1.0");
  ASSERT_EQ(Stop().verdict, Verdict::succeeded);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(Stop({.direction = kUndo}).verdict, Verdict::succeeded);
    EXPECT_EQ(Shop().release_dir, *host_.releases().ReleaseDir(host_.app(), host_.digest("1.0")));
  }
  EXPECT_EQ(host_.services.StartsOf(host_.shop()), 2);
}

TEST_F(ServiceActionsTest, UndoOfStopStartsNothingWhereNothingWas) {
  EXPECT_EQ(Stop({.direction = kUndo, .previous = ""}).message, "nothing ran here before");
  EXPECT_EQ(host_.services.StartsOf(host_.shop()), 0);
}

TEST_F(ServiceActionsTest, UndoOfStopLeavesDownWhatWasDown) {
  ASSERT_EQ(Stop().message, "shop does not run");
  ASSERT_EQ(Start().verdict, Verdict::succeeded);
  ASSERT_EQ(Start({.direction = kUndo}).verdict, Verdict::succeeded);
  for (int i = 0; i < 2; ++i) {
    const AttemptEnd end = Stop({.direction = kUndo});
    EXPECT_EQ(end.verdict, Verdict::succeeded) << end.message;
    EXPECT_THAT(end.message, HasSubstr("did not run before the rollout"));
  }
  EXPECT_EQ(Shop().state, State::stopped);
  EXPECT_EQ(Stop({.direction = kUndo, .probe = true}).verdict, Verdict::succeeded);
  EXPECT_EQ(host_.services.StartsOf(host_.shop()), 1) << "only the new one, by the rollout";
}

TEST_F(ServiceActionsTest, UnitThatNoAgentStartedComesBackUp) {
  TestHost host("shop.service");
  v1::Task task = host.Task();
  task.mutable_action()->mutable_stop()->set_service("shop");
  ASSERT_EQ(host.Do(*stop_, task).verdict, Verdict::succeeded);
  EXPECT_EQ(host.Do(*stop_, task, {.direction = kUndo}).verdict, Verdict::succeeded);
  EXPECT_EQ(host.services.Inspect(host.shop()).state, State::running);
}

TEST_F(ServiceActionsTest, DeadServiceCountsAsDown) {
  host_.RunShop("1.0");
  host_.services.Die(host_.shop());
  ASSERT_EQ(Stop().verdict, Verdict::succeeded);
  EXPECT_EQ(Stop({.direction = kUndo}).verdict, Verdict::succeeded);
  EXPECT_EQ(host_.services.StartsOf(host_.shop()), 1);
}

TEST_F(ServiceActionsTest, WhatTheFirstAttemptFoundCounts) {
  host_.services.Conducts(host_.shop(), {.leaves_process = true});
  host_.RunShop("1.0");
  ASSERT_NE(Stop().verdict, Verdict::succeeded);
  host_.services.Die(host_.shop());
  ASSERT_EQ(Stop({.number = 2}).verdict, Verdict::succeeded);
  host_.services.Conducts(host_.shop(), {});
  EXPECT_EQ(Stop({.direction = kUndo}).verdict, Verdict::succeeded);
  EXPECT_EQ(Shop().state, State::running) << "it ran when the rollout came";
}

TEST_F(ServiceActionsTest, WhatRanBeforeAStopIsKnownAfterARestartOfTheAgent) {
  host_.RunShop("1.0");
  ASSERT_EQ(Stop().verdict, Verdict::succeeded);
  host_.RestartAgent();
  EXPECT_EQ(Stop({.probe = true}).verdict, Verdict::succeeded);
  EXPECT_EQ(Stop({.direction = kUndo}).verdict, Verdict::succeeded);
  EXPECT_EQ(Shop().state, State::running);
}

TEST_F(ServiceActionsTest, StopThatACrashCutOffBeforeItsFirstWordWasOfADownService) {
  host_.RestartAgent();
  ASSERT_EQ(Stop({.probe = true}).verdict, Verdict::succeeded) << "accepted, and it did not run";
  host_.RestartAgent();
  host_.RunShop("1.0");  // by a person, meanwhile
  EXPECT_EQ(Stop({.direction = kUndo}).verdict, Verdict::succeeded);
  EXPECT_EQ(Shop().state, State::stopped);
}

TEST_F(ServiceActionsTest, UndoOfAStopThatNeverCameLeavesAllAsItIs) {
  EXPECT_EQ(Stop({.direction = kUndo}).verdict, Verdict::succeeded);
  EXPECT_EQ(host_.services.StartsOf(host_.shop()), 0);
  host_.RunShop("1.0");
  EXPECT_EQ(Stop({.direction = kUndo}).verdict, Verdict::succeeded);
  EXPECT_EQ(Shop().state, State::running);
}

TEST_F(ServiceActionsTest, StartWaitsForTheLogAndRunsTheRightRelease) {
  const AttemptEnd end = Start();
  EXPECT_EQ(end.verdict, Verdict::succeeded) << end.message;
  EXPECT_THAT(end.message, HasSubstr("shop 2.0 is ready"));
  EXPECT_EQ(Shop().executable,
            *host_.releases().ReleaseDir(host_.app(), host_.digest("2.0")) + "/bin/shop");
}

TEST_F(ServiceActionsTest, ServiceThatDiesAtStartIsQuoted) {
  host_.services.Conducts(host_.shop(), {.first_words = "",
                                         .last_words = "cannot open the database\n",
                                         .dies_after = absl::Milliseconds(400)});
  const AttemptEnd end = Start();
  EXPECT_EQ(end.verdict, Verdict::failed);
  EXPECT_EQ(end.message,
            "shop 2.0 exited with status 3 after its start; its last words: \"cannot open the "
            "database\"");
  EXPECT_THAT(host_.said(), HasSubstr("cannot open the database"));
}

TEST_F(ServiceActionsTest, ForbiddenWordsFailAStartThatAnswers) {
  host_.services.Conducts(host_.shop(), {.first_words = "listening\nFATAL: table gone\n"});
  const AttemptEnd end = Start();
  EXPECT_EQ(end.verdict, Verdict::failed);
  EXPECT_EQ(end.message, "shop 2.0 logged \"FATAL: table gone\"");
}

TEST_F(ServiceActionsTest, WordsOfAnEarlierLifeDoNotCount) {
  host_.services.Conducts(host_.shop(), {.first_words = "listening\nFATAL\n"});
  host_.RunShop("1.0");
  ASSERT_EQ(Stop().verdict, Verdict::succeeded);
  host_.services.Conducts(host_.shop(), {.first_words = "starting\n"});
  const AttemptEnd end = Start();
  EXPECT_EQ(end.verdict, Verdict::failed) << "the old \"listening\" is not its own";
  EXPECT_THAT(end.message,
              AllOf(HasSubstr("not ready within 10s"), HasSubstr("has not logged \"listening\""),
                    HasSubstr("its last words: \"starting\"")));
}

TEST_F(ServiceActionsTest, StartKeepsTheDeadlineOfTheAttempt) {
  host_.services.Conducts(host_.shop(), {.first_words = ""});
  const absl::Duration began = host_.clock.Monotonic();
  const AttemptEnd end = Start({.timeout = absl::Seconds(3)});
  EXPECT_EQ(end.verdict, Verdict::failed);
  EXPECT_EQ(host_.clock.Monotonic() - began, absl::Seconds(3));
}

TEST_F(ServiceActionsTest, CancelledStartEndsSoon) {
  host_.services.Conducts(host_.shop(), {.first_words = ""});
  EXPECT_THAT(Start({.cancelled = true}).message, HasSubstr("cancelled"));
}

TEST_F(ServiceActionsTest, PortInForeignHandsIsNamed) {
  host_.services.Occupy(8080, "pid 4121 /opt/old/shop");
  EXPECT_EQ(Start().message,
            "port 8080 belongs to pid 4121 /opt/old/shop, which slipway did not start");
}

TEST_F(ServiceActionsTest, StartTwiceIsOnce) {
  ASSERT_EQ(Start().verdict, Verdict::succeeded);
  ASSERT_EQ(Start().verdict, Verdict::succeeded);
  EXPECT_EQ(host_.services.StartsOf(host_.shop()), 1);
}

TEST_F(ServiceActionsTest, UndoOfStartStopsIt) {
  ASSERT_EQ(Start().verdict, Verdict::succeeded);
  EXPECT_THAT(Start({.direction = kUndo}).message, HasSubstr("shop 2.0 stopped"));
  EXPECT_EQ(Shop().state, State::stopped);
  EXPECT_EQ(Start({.direction = kUndo}).verdict, Verdict::succeeded);
}

TEST_F(ServiceActionsTest, ProbesAfterARestartSeeWhatIsThere) {
  EXPECT_EQ(Start({.probe = true}).verdict, Verdict::not_applied);
  EXPECT_EQ(Stop({.probe = true}).verdict, Verdict::succeeded);
  ASSERT_EQ(Start().verdict, Verdict::succeeded);
  EXPECT_EQ(Start({.probe = true}).verdict, Verdict::succeeded);
  EXPECT_EQ(Stop({.probe = true}).verdict, Verdict::not_applied);
  EXPECT_EQ(Start({.direction = kUndo, .probe = true}).verdict, Verdict::not_applied);
  EXPECT_EQ(Stop({.direction = kUndo, .probe = true}).verdict, Verdict::not_applied)
      << "2.0 runs, 1.0 is what an undo would start";
  host_.services.Die(host_.shop());
  EXPECT_EQ(Start({.probe = true}).verdict, Verdict::failed);
}

TEST_F(ServiceActionsTest, BakeMarksTheLiveReleaseHealthy) {
  ASSERT_TRUE(host_.releases().SwitchTo(host_.app(), host_.digest("2.0")).ok());
  host_.RunShop("2.0");
  const AttemptEnd end = Bake(10);
  EXPECT_EQ(end.message, "1 service stayed healthy for 10s");
  EXPECT_TRUE(host_.releases().RanHealthily(host_.app(), host_.digest("2.0")));
}

TEST_F(ServiceActionsTest, ServiceThatDiesTwoSecondsLaterFailsTheBake) {
  ASSERT_TRUE(host_.releases().SwitchTo(host_.app(), host_.digest("2.0")).ok());
  host_.services.Conducts(
      host_.shop(), {.last_words = "out of memory\n", .dies_after = absl::Milliseconds(2500)});
  host_.RunShop("2.0");
  const AttemptEnd end = Bake(10);
  EXPECT_EQ(end.verdict, Verdict::failed);
  EXPECT_EQ(end.message, "shop 2.0 exited with status 3; its last words: \"out of memory\"");
  EXPECT_FALSE(host_.releases().RanHealthily(host_.app(), host_.digest("2.0")));
}

TEST_F(ServiceActionsTest, WordsBetweenStartAndBakeAreNotMissed) {
  host_.RunShop("1.0");
  host_.services.Log(host_.shop(), "FATAL late\nfine again\n");
  EXPECT_THAT(Bake(10).message, HasSubstr("shop 1.0 logged \"FATAL late\""));
}

TEST_F(ServiceActionsTest, AppWithoutServicesBakesByWaiting) {
  const absl::Duration began = host_.clock.Monotonic();
  EXPECT_EQ(Bake(10).verdict, Verdict::succeeded);
  EXPECT_EQ(host_.clock.Monotonic() - began, absl::Seconds(10));
}

TEST_F(ServiceActionsTest, BakeThatDoesNotFitIntoTheAttemptTimesOut) {
  EXPECT_EQ(Bake(60, {.timeout = absl::Seconds(5)}).verdict, Verdict::timed_out);
}

}  // namespace
}  // namespace slipway::agent
