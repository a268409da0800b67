// What only units of systemd do. Runs as root in a host that was booted with it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>

#include "common/process/proc.h"
#include "tests/fleet/systemd_service_host.h"

extern char** environ;

namespace slipway::agent {
namespace {

using State = ServiceStatus::State;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const std::vector<Rung> kGentle = {
    {.signal = SIGTERM}, {.wait = absl::Milliseconds(300)}, {.signal = SIGKILL}};

class SystemdDriverTest : public testing::Test {
 protected:
  ServiceManager& services() { return host_.services(); }
  ServiceSpec Started(const Conduct& conduct, const std::string& settings = "") {
    const ServiceSpec spec = host_.SpecWith(conduct, host_.release("1.0"), settings);
    const absl::Status started = services().Start(spec);
    EXPECT_TRUE(started.ok()) << started;
    return spec;
  }
  bool Eventually(const std::function<bool()>& condition) {
    const absl::Duration give_up = host_.clock().Monotonic() + absl::Seconds(30);
    while (!condition()) {
      if (host_.clock().Monotonic() > give_up) return false;
      host_.clock().Sleep(absl::Milliseconds(10));
    }
    return true;
  }
  std::string Log(const ServiceSpec& spec) {
    return services().ReadLog(spec.id, services().Inspect(spec.id).log_start, 1 << 20).bytes;
  }
  // The status with which a program of the host ends.
  int Run(std::vector<const char*> argv) {
    argv.push_back(nullptr);
    pid_t pid = 0;
    int status = -1;
    if (posix_spawnp(&pid, argv[0], nullptr, nullptr, const_cast<char**>(argv.data()), environ) !=
        0)
      return -1;
    waitpid(pid, &status, 0);
    return status;
  }

  SystemdHost host_;
};

TEST_F(SystemdDriverTest, StrangerIsRefusedAndToldWhatItLacks) {
  const ServiceSpec spec = host_.SpecWith({}, host_.release("1.0"), "");
  int said[2];
  ASSERT_EQ(pipe(said), 0);
  const pid_t stranger = fork();
  if (stranger == 0) {
    std::filesystem::permissions(host_.app() + "/..", std::filesystem::perms::all);
    if (setuid(65534) != 0) _exit(9);
    BusSystemd systemd;
    HostJournal journal;
    SystemdServiceManager driver(host_.app() + "/../stranger", systemd, journal, SystemClock());
    const absl::Status refused = driver.Start(spec);
    const std::string text(refused.message());
    const bool written = write(said[1], text.data(), text.size()) >= 0;
    _exit(written && absl::IsPermissionDenied(refused) ? 0 : 8);
  }
  close(said[1]);
  char text[4096] = {};
  std::size_t size = 0;
  ssize_t n = 0;
  while ((n = read(said[0], text + size, sizeof text - 1 - size)) > 0) size += n;
  close(said[0]);
  int status = -1;
  waitpid(stranger, &status, 0);
  EXPECT_EQ(status, 0) << text;
  EXPECT_THAT(text, AllOf(HasSubstr(host_.unit()), HasSubstr("polkit")));
  EXPECT_EQ(host_.Instances(spec), 0);
}

TEST_F(SystemdDriverTest, RestartsBySystemdAreCountedAndAStopEndsThem) {
  const ServiceSpec spec =
      Started({.dies = true}, "Restart=always\nRestartSec=50ms\nStartLimitIntervalSec=0\n");
  ASSERT_TRUE(Eventually([&] { return services().Inspect(spec.id).restarts >= 2; }));
  const auto report = services().Stop(spec.id, {.ladder = kGentle});
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(services().Inspect(spec.id).state, State::stopped);
  EXPECT_EQ(host_.Instances(spec), 0);
}

TEST_F(SystemdDriverTest, CrashLoopBeforeDoesNotStandInTheWayOfAStart) {
  for (int i = 0; i < 8; ++i) {
    const ServiceSpec spec = Started({.dies = true});
    ASSERT_TRUE(Eventually([&] { return services().Inspect(spec.id).state == State::died; }));
  }
}

TEST_F(SystemdDriverTest, ChildThatAUnitLeavesBehindIsKilledByTheLadder) {
  const ServiceSpec spec = Started({.leaves_socket = true}, "KillMode=process\n");
  ASSERT_TRUE(Eventually([&] { return host_.Instances(spec) == 2; }));
  const auto report = services().Stop(spec.id, {.ladder = kGentle, .ports = spec.ports});
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->signal, SIGKILL);
  EXPECT_EQ(host_.Instances(spec), 0);
}

TEST_F(SystemdDriverTest, ChildThatSurvivesALadderWithoutKillIsNamed) {
  const ServiceSpec spec = Started({.leaves_socket = true}, "KillMode=process\n");
  ASSERT_TRUE(Eventually([&] { return host_.Instances(spec) == 2; }));
  const auto report =
      services().Stop(spec.id, {.ladder = {{.signal = SIGTERM}},
                                .deadline = host_.clock().Monotonic() + absl::Milliseconds(500)});
  EXPECT_EQ(report.status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(report.status().message()), HasSubstr(host_.unit()));
}

TEST_F(SystemdDriverTest, ProgramThatRunsOutsideItsUnitIsFoundByItsFile) {
  const ServiceSpec spec = Started({});
  const std::string program = spec.release_dir + "/bin/shop";
  pid_t outside = 0;
  const char* argv[] = {program.c_str(), nullptr};
  ASSERT_EQ(
      posix_spawn(&outside, program.c_str(), nullptr, nullptr, const_cast<char**>(argv), environ),
      0);
  std::filesystem::remove(program);
  const auto report = services().Stop(spec.id, {.ladder = kGentle});
  kill(outside, SIGKILL);
  waitpid(outside, nullptr, 0);
  EXPECT_EQ(report.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(report.status().message()),
              HasSubstr("pid " + std::to_string(outside) + " still executes " + program));
}

TEST_F(SystemdDriverTest, LogIsOfTheUnitAndOfThisStartOnly) {
  const ServiceSpec first = Started({.says = "of the first start"});
  ASSERT_TRUE(Eventually([&] { return Log(first).find("first start") != std::string::npos; }));
  ASSERT_TRUE(services().Stop(first.id, {.ladder = kGentle}).ok());
  const ServiceSpec second = Started({.says = "of the second start"});
  EXPECT_EQ(Run({"systemd-run", "--quiet", "--wait", "echo", "of another unit"}), 0);
  ASSERT_TRUE(Eventually([&] { return Log(second).find("second start") != std::string::npos; }));
  EXPECT_EQ(Log(second), "of the second start\n");
}

TEST_F(SystemdDriverTest, LogIsReadInPiecesWithoutLossOrRepetition) {
  const ServiceSpec spec =
      Started({.says = "the last line"},
              "ExecStartPre=/bin/sh -c 'for i in $(seq 1000); do echo line $i; done'\n");
  const auto has = [&](const char* words) { return Log(spec).find(words) != std::string::npos; };
  ASSERT_TRUE(Eventually([&] { return has("line 1000\n") && has("the last line\n"); }));
  const std::string whole = Log(spec);
  std::string read;
  LogPiece piece{.bytes = "", .next = services().Inspect(spec.id).log_start};
  do {
    piece = services().ReadLog(spec.id, piece.next, 100);
    EXPECT_LE(piece.bytes.size(), 100u);
    read += piece.bytes;
  } while (!piece.bytes.empty());
  EXPECT_TRUE(read == whole) << read.size() << " bytes instead of " << whole.size();
  EXPECT_EQ(std::count(read.begin(), read.end(), '\n'), 1001);
  const std::string last =
      services().LastLines(spec.id, services().Inspect(spec.id).log_start, 2) + "\n";
  EXPECT_EQ(whole.substr(whole.size() - last.size()), last);
  EXPECT_EQ(std::count(last.begin(), last.end(), '\n'), 2);
}

TEST_F(SystemdDriverTest, UnitThatSomebodyElseStartedIsTakenOver) {
  const ServiceSpec spec = host_.SpecWith({.says = "long since"}, host_.release("1.0"), "");
  ASSERT_EQ(Run({"systemctl", "start", host_.unit().c_str()}), 0);
  const absl::Status started = services().Start(spec);
  ASSERT_TRUE(started.ok()) << started;
  EXPECT_EQ(host_.Instances(spec), 1);
  EXPECT_TRUE(Eventually([&] { return Log(spec) == "long since\n"; })) << Log(spec);
  EXPECT_EQ(services().Inspect(spec.id).release_dir, spec.release_dir);
}

TEST_F(SystemdDriverTest, UnitThatWasNeverStartedHereIsStoppedByItsName) {
  const ServiceSpec spec = host_.SpecWith({}, host_.release("1.0"), "");
  ASSERT_EQ(Run({"systemctl", "start", host_.unit().c_str()}), 0);
  const auto report = services().Stop(spec.id, {.ladder = kGentle, .unit = host_.unit()});
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_TRUE(report->was_running);
  EXPECT_EQ(host_.Instances(spec), 0);
}

TEST_F(SystemdDriverTest, UnitThatNeverSaysReadyIsComingUpForAsLongAsItDoes) {
  const ServiceSpec spec = Started({}, "Type=notify\n");
  ASSERT_TRUE(Eventually([&] { return Log(spec) == "listening\n"; }));
  const ServiceStatus status = services().Inspect(spec.id);
  EXPECT_EQ(status.state, State::running);
  EXPECT_THAT(status.coming_up, HasSubstr("activating (start)"));
  EXPECT_TRUE(services().Stop(spec.id, {.ladder = kGentle}).ok());
}

TEST_F(SystemdDriverTest, ConditionThatIsNotMetIsNoStart) {
  const ServiceSpec spec =
      host_.SpecWith({}, host_.release("1.0"), "[Unit]\nConditionPathExists=/absent\n[Service]\n");
  const absl::Status started = services().Start(spec);
  EXPECT_EQ(started.code(), absl::StatusCode::kFailedPrecondition) << started;
}

TEST_F(SystemdDriverTest, FailingPreparationFailsTheStartInItsWords) {
  const ServiceSpec spec = host_.SpecWith({}, host_.release("1.0"), "ExecStartPre=/bin/false\n");
  const absl::Status started = services().Start(spec);
  EXPECT_EQ(started.code(), absl::StatusCode::kInternal) << started;
  EXPECT_THAT(std::string(started.message()),
              AllOf(HasSubstr("shop could not be started"), HasSubstr("status=1/FAILURE")));
}

TEST_F(SystemdDriverTest, SimpleUnitWithoutProgramIsRefusedLikeAnyOther) {
  const ServiceSpec spec = host_.SpecWith({.missing = true}, host_.release("1.0"), "Type=simple\n");
  const absl::Status started = services().Start(spec);
  EXPECT_EQ(started.code(), absl::StatusCode::kInternal) << started;
  EXPECT_THAT(std::string(started.message()), HasSubstr("No such file or directory"));
}

TEST_F(SystemdDriverTest, BusThatComesBackIsUsedAgain) {
  const ServiceSpec spec = host_.SpecWith({}, host_.release("1.0"), "ExecStartPre=/bin/sleep 1\n");
  const pid_t restarter = fork();
  if (restarter == 0) {
    execlp("systemctl", "systemctl", "daemon-reexec", nullptr);
    _exit(127);
  }
  const absl::Status started = services().Start(spec);
  EXPECT_TRUE(started.ok()) << started;
  int status = -1;
  waitpid(restarter, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(host_.Instances(spec), 1);
}

}  // namespace
}  // namespace slipway::agent
