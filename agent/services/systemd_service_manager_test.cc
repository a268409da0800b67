#include "agent/services/systemd_service_manager.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/services/fake_service_manager.h"
#include "agent/services/fake_systemd.h"
#include "agent/services/service_drivers.h"
#include "agent/services/unit_status.h"
#include "common/fs/test_directory.h"
#include "common/manual_clock.h"
#include "common/process/proc.h"

namespace slipway::agent {
namespace {

using State = ServiceStatus::State;
using testing::HasSubstr;

constexpr char kUnit[] = "shop.service";

class SystemdServiceManagerTest : public testing::Test {
 protected:
  absl::Status Start() { return driver_.Start(spec_); }
  absl::StatusOr<StopReport> Stop() {
    return driver_.Stop(
        spec_.id,
        {.ladder = {{.signal = SIGTERM}, {.wait = absl::Seconds(20)}, {.signal = SIGKILL}}});
  }
  State Now() { return driver_.Inspect(spec_.id).state; }
  FakeSystemd::Unit& unit() { return systemd_.unit(kUnit); }

  TestDirectory folder_;
  ManualClock clock_;
  FakeSystemd systemd_{clock_};
  FakeJournal journal_;
  SystemdServiceManager driver_{folder_.path() + "/units", systemd_, journal_, clock_};
  const ServiceSpec spec_{
      .id = {"/srv/shop", "shop"}, .release_dir = "/srv/shop/releases/1.0", .unit = kUnit};
};

TEST_F(SystemdServiceManagerTest, StartWaitsForItsJob) {
  unit().starts_for = absl::Seconds(7);
  const absl::Duration began = clock_.Monotonic();
  ASSERT_TRUE(Start().ok());
  EXPECT_GE(clock_.Monotonic() - began, absl::Seconds(7));
  EXPECT_EQ(Now(), State::running);
  EXPECT_EQ(driver_.Inspect(spec_.id).pid, getpid());
}

TEST_F(SystemdServiceManagerTest, EndThatComesBeforeTheReplyIsNotMissed) {
  systemd_.EndAtOnce();
  EXPECT_TRUE(Start().ok());
  EXPECT_TRUE(Stop().ok());
  EXPECT_EQ(Now(), State::stopped);
}

TEST_F(SystemdServiceManagerTest, OrderWhoseReplyIsLostIsGivenAgainAndDoneOnce) {
  systemd_.BreakAfterOrder();
  ASSERT_TRUE(Start().ok());
  EXPECT_EQ(unit().starts, 1);
  systemd_.BreakAfterOrder();
  ASSERT_TRUE(Stop().ok());
  EXPECT_EQ(unit().stops, 1);
}

TEST_F(SystemdServiceManagerTest, EndThatNobodyHeardOfIsSeenOnTheUnit) {
  unit().starts_for = absl::Seconds(3);
  systemd_.GoAway(absl::Seconds(5), absl::Seconds(1));
  ASSERT_TRUE(Start().ok());
  EXPECT_EQ(unit().starts, 1);
  EXPECT_EQ(Now(), State::running);
}

TEST_F(SystemdServiceManagerTest, BusThatIsAwayForAWhileIsWaitedForAndOneThatStaysAwayIsNamed) {
  systemd_.GoAway(absl::Seconds(10));
  EXPECT_TRUE(Start().ok());
  systemd_.GoAway(absl::Hours(1));
  EXPECT_EQ(Stop().status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(SystemdServiceManagerTest, JobThatSomebodyReplacesIsTheirDoing) {
  systemd_.ReplaceNextJob();
  const absl::Status started = Start();
  EXPECT_EQ(started.code(), absl::StatusCode::kAborted) << started;
  EXPECT_THAT(std::string(started.message()), HasSubstr("somebody else"));
}

TEST_F(SystemdServiceManagerTest, StopThatSomebodyReplacesIsOrderedAgainByTheNextRung) {
  ASSERT_TRUE(Start().ok());
  systemd_.ReplaceNextJob();
  const auto report = Stop();
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(unit().stops, 2);
  EXPECT_EQ(Now(), State::stopped);
}

TEST_F(SystemdServiceManagerTest, ServiceThatIgnoresTermIsKilledByTheLadder) {
  ASSERT_TRUE(Start().ok());
  unit().ignores_term = true;
  const auto report = Stop();
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->signal, SIGKILL);
  EXPECT_GE(report->took, absl::Seconds(20));
}

TEST_F(SystemdServiceManagerTest, EachRefusalHasItsOwnError) {
  const auto code = [&] { return Start().code(); };
  unit().look.load_state = "not-found";
  EXPECT_EQ(code(), absl::StatusCode::kNotFound);
  unit().look.load_state = "masked";
  EXPECT_THAT(std::string(Start().message()), HasSubstr("systemctl unmask"));
  EXPECT_EQ(code(), absl::StatusCode::kFailedPrecondition);
  unit().look.load_state = "bad-setting";
  unit().look.load_error = "ExecStart= is missing";
  EXPECT_THAT(std::string(Start().message()), HasSubstr("ExecStart= is missing"));
  unit().look.load_state = "loaded";
  unit().refused = true;
  EXPECT_EQ(code(), absl::StatusCode::kPermissionDenied);
  unit().refused = false;
  for (const auto& [result, expected] :
       {std::pair{"dependency", absl::StatusCode::kFailedPrecondition},
        std::pair{"failed", absl::StatusCode::kInternal}}) {
    unit().start_ends = result;
    EXPECT_EQ(code(), expected) << result;
  }
}

TEST_F(SystemdServiceManagerTest, UnitThatDoesNotComeUpInTimeIsNamedWithItsState) {
  unit().starts_for = absl::Hours(1);
  const absl::Status started = Start();
  EXPECT_EQ(started.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(started.message()), HasSubstr("activating"));
}

TEST_F(SystemdServiceManagerTest, ProgramThatCannotBeExecutedIsExplainedByTheJournal) {
  journal_.SetReason("Failed to locate executable /srv/shop/bin: No such file or directory");
  unit().start_ends = "failed";
  unit().look.main_code = CLD_EXITED;
  unit().look.main_status = 203;
  EXPECT_THAT(std::string(Start().message()), HasSubstr("No such file or directory"));
}

TEST_F(SystemdServiceManagerTest, WithoutABusTheProcessItselfIsLookedAt) {
  ASSERT_TRUE(Start().ok());
  systemd_.GoAway(absl::Hours(1));
  EXPECT_EQ(Now(), State::running);
}

TEST_F(SystemdServiceManagerTest, NewAgentFindsServiceLogAndPortsAgain) {
  journal_.Add("of an earlier life");
  ASSERT_TRUE(Start().ok());
  journal_.Add("listening");
  SystemdServiceManager next(folder_.path() + "/units", systemd_, journal_, clock_);
  EXPECT_THAT(next.Services(), testing::ElementsAre(spec_.id));
  const ServiceStatus status = next.Inspect(spec_.id);
  EXPECT_EQ(status.state, State::running);
  EXPECT_EQ(status.release_dir, spec_.release_dir);
  EXPECT_EQ(next.ReadLog(spec_.id, status.log_start, 100).bytes, "listening\n");
  ASSERT_TRUE(next.Start(spec_).ok());
  EXPECT_EQ(unit().starts, 1);
}

TEST_F(SystemdServiceManagerTest, UnitOfWhichSystemdKnowsNothingAfterItsStartHasDied) {
  ASSERT_TRUE(Start().ok());
  unit().look = FakeSystemd::Unit{}.look;
  EXPECT_EQ(Now(), State::died);
  EXPECT_EQ(driver_.Inspect(spec_.id).ended, "ended by itself");
}

TEST_F(SystemdServiceManagerTest, UnitThatARebootCutOffEndedWithTheMachine) {
  ASSERT_TRUE(Start().ok());
  ASSERT_TRUE(Stop().ok());
  unit().starts_for = absl::Hours(1);
  EXPECT_FALSE(Start().ok()) << "nobody saw its main process";
  const UnitRecords records(folder_.path() + "/units");
  UnitRecord record = *records.Find(spec_.id);
  EXPECT_EQ(record.process.boot_id, BootId());
  EXPECT_FALSE(StatusOf(record, FakeSystemd::Unit{}.look).with_machine) << "this boot is the same";
  record.process.boot_id = "another";
  const ServiceStatus status = StatusOf(record, FakeSystemd::Unit{}.look);
  EXPECT_EQ(status.state, State::died);
  EXPECT_TRUE(status.with_machine);
  EXPECT_THAT(status.ended, HasSubstr("ended with the machine"));
}

TEST_F(SystemdServiceManagerTest, MachineGoesDownWhenItsSystemdSaysSo) {
  EXPECT_FALSE(GoesDown(systemd_));
  systemd_.GoDown();
  EXPECT_TRUE(GoesDown(systemd_));
  systemd_.GoAway(absl::Hours(1));
  EXPECT_FALSE(GoesDown(systemd_)) << "nobody says";
}

TEST(UnitStatus, StatesOfSystemdBecomeOurs) {
  const UnitRecord record{
      .spec = {.id = {"/srv/shop", "shop"}, .unit = kUnit}, .before = "a", .invocation = "b"};
  UnitLook look{.active_state = "activating", .sub_state = "auto-restart", .invocation = "b"};
  look.main_code = CLD_KILLED;
  look.main_status = SIGSEGV;
  EXPECT_EQ(StatusOf(record, look).state, State::died);
  EXPECT_THAT(StatusOf(record, look).ended, HasSubstr("SIGSEGV (systemd restarts it)"));
  look.sub_state = "start";
  EXPECT_EQ(StatusOf(record, look).state, State::running);
  EXPECT_THAT(StatusOf(record, look).coming_up, HasSubstr("activating (start)"));
  look.active_state = "deactivating";
  EXPECT_EQ(StatusOf(record, look).state, State::running);
  look.active_state = "failed";
  look.result = "oom-kill";
  EXPECT_EQ(StatusOf(record, look).ended, "was ended by SIGSEGV (systemd: oom-kill)");
  UnitRecord stopping = record;
  stopping.stopping = true;
  EXPECT_EQ(StatusOf(stopping, look).state, State::stopped);
}

TEST(UnitStatus, RecordOfAStartThatNeverReachedSystemdIsNoDeath) {
  const UnitRecord record{.spec = {.unit = kUnit}, .before = "a"};
  EXPECT_EQ(StatusOf(record, {.active_state = "inactive", .invocation = "a"}).state,
            State::stopped);
  EXPECT_EQ(StatusOf(record, {.active_state = "failed", .invocation = "b"}).state, State::died);
}

TEST(ServiceDrivers, UnitDecidesAndWhatRunsIsStoppedByItsOwnDriver) {
  ManualClock clock;
  FakeServiceManager processes(clock), units(clock);
  ServiceDrivers drivers(processes, units);
  const ServiceSpec old{.id = {"/srv/shop", "shop"}, .release_dir = "/1", .argv = {"bin/shop"}};
  ServiceSpec fresh = old;
  fresh.release_dir = "/2";
  fresh.unit = kUnit;
  ASSERT_TRUE(drivers.Start(old).ok());
  EXPECT_EQ(drivers.Start(fresh).code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(drivers.Stop(old.id, {.ladder = {{.signal = SIGTERM}}, .unit = kUnit}).ok());
  ASSERT_TRUE(drivers.Start(fresh).ok());
  EXPECT_EQ(units.StartsOf(fresh.id), 1);
  EXPECT_EQ(drivers.Inspect(fresh.id).release_dir, "/2");
  EXPECT_THAT(drivers.Services(), testing::ElementsAre(fresh.id));
  ASSERT_TRUE(drivers.Stop(fresh.id, {.ladder = {{.signal = SIGTERM}}}).ok());
  EXPECT_EQ(units.Inspect(fresh.id).state, State::stopped);
}

TEST(FromBusError, SaysWhatToDo) {
  const auto code = [](const char* name) { return FromBusError(name, "text", "start it").code(); };
  EXPECT_EQ(code("org.freedesktop.systemd1.NoSuchUnit"), absl::StatusCode::kNotFound);
  EXPECT_EQ(code("org.freedesktop.systemd1.UnitMasked"), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(code("org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(code("org.freedesktop.DBus.Error.NoReply"), absl::StatusCode::kUnavailable);
  EXPECT_EQ(code("System.Error.ECONNRESET"), absl::StatusCode::kUnavailable);
  EXPECT_EQ(code("org.freedesktop.systemd1.TransactionIsDestructive"),
            absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace slipway::agent
