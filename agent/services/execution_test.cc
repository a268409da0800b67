#include "agent/services/execution.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include "agent/services/exec_output.h"
#include "common/clock.h"
#include "common/fs/test_directory.h"

namespace slipway::agent {
namespace {

using Kind = ExecState::Kind;
using testing::HasSubstr;

constexpr absl::Duration kLong = absl::Seconds(20);

ExecSpec Shell(const std::string& script) {
  return {.argv = {"/bin/sh", "-c", script}, .env = {"PATH=/usr/bin:/bin"}};
}

bool Eventually(const std::function<bool()>& condition) {
  const absl::Duration give_up = SystemClock().Monotonic() + kLong;
  while (!condition()) {
    if (SystemClock().Monotonic() > give_up) return false;
  }
  return true;
}

int NumberIn(const std::string& path) {
  std::ifstream file(path);
  int number = 0;
  file >> number;
  return number;
}

bool Lives(pid_t pid) {
  const auto stat = ReadProcessStat(pid);
  return stat && stat->state != 'Z';
}

class ExecutionTest : public testing::Test {
 protected:
  Execution Start(const ExecSpec& spec, const std::string& name = "run") {
    auto run = launcher_.Start(Path(name), spec);
    EXPECT_TRUE(run.ok()) << run.status();
    return run.ok() ? *run : Execution(Path(name));
  }
  ExecExit Run(const ExecSpec& spec) {
    const Execution run = Start(spec);
    EXPECT_TRUE(run.WaitFor(kLong));
    const ExecState state = run.State();
    EXPECT_EQ(state.kind, Kind::exited);
    return state.exit;
  }
  // The shim as the agent would start it, but waited for: its own exit status.
  int ShimByHand(const std::string& dir) {
    const pid_t pid = fork();
    if (pid == 0) {
      execl(SLIPWAY_EXEC_SHIM, SLIPWAY_EXEC_SHIM, dir.c_str(), nullptr);
      _exit(99);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    return WEXITSTATUS(status);
  }
  std::string Path(const std::string& name) const { return folder_.path() + "/" + name; }
  std::string Output(const std::string& name = "run") const {
    return SpoolTail(Path(name), 1 << 20);
  }

  TestDirectory folder_;
  ExecLauncher launcher_{{SLIPWAY_EXEC_SHIM}};
};

TEST_F(ExecutionTest, StatusAndOutputOfBothStreamsAreKept) {
  const ExecExit exit = Run(Shell("echo out; echo err >&2; exit 7"));
  EXPECT_EQ(exit.code, 7);
  EXPECT_EQ(exit.signal, 0);
  EXPECT_EQ(exit.leftovers, 0);
  EXPECT_EQ(Output(), "out\nerr\n");
}

TEST_F(ExecutionTest, EndBySignalIsToldFromExit) {
  const ExecExit exit = Run(Shell("kill -SEGV $$"));
  EXPECT_EQ(exit.signal, SIGSEGV);
}

TEST_F(ExecutionTest, OutputWithoutNewlineIsKept) {
  Run(Shell("printf 'no end'"));
  EXPECT_EQ(Output(), "no end");
}

TEST_F(ExecutionTest, MissingProgramIsNamed) {
  const ExecExit exit = Run({.argv = {"/nowhere/program"}});
  EXPECT_EQ(exit.refused, "cannot execute /nowhere/program: No such file or directory");
}

TEST_F(ExecutionTest, MissingFolderIsNamed) {
  ExecSpec spec = Shell("true");
  spec.cwd = "/nowhere";
  EXPECT_EQ(Run(spec).refused, "cannot enter /nowhere: No such file or directory");
}

TEST_F(ExecutionTest, UnknownUserIsNamed) {
  ExecSpec spec = Shell("true");
  spec.user = "nobody-of-this-name";
  EXPECT_EQ(Run(spec).refused, "user nobody-of-this-name does not exist on this host");
}

TEST_F(ExecutionTest, UserIsSwitchedByRootAndRefusedToOthers) {
  ExecSpec spec = Shell("id -un; id -Gn");
  spec.user = geteuid() == 0 ? "nobody" : "root";
  const ExecExit exit = Run(spec);
  if (geteuid() == 0) {
    EXPECT_EQ(exit.refused, "");
    EXPECT_EQ(Output(), "nobody\nnogroup\n");
  } else {
    EXPECT_THAT(exit.refused, HasSubstr("only an agent that runs as root"));
  }
}

TEST_F(ExecutionTest, OnlyTheGivenEnvironmentIsSeen) {
  setenv("SLIPWAY_TEST_LEAK", "leaked", 1);
  ExecSpec spec = Shell("/usr/bin/env");
  spec.env.push_back("GIVEN=yes");
  Run(spec);
  EXPECT_THAT(Output(), HasSubstr("GIVEN=yes\n"));
  EXPECT_THAT(Output(), testing::Not(HasSubstr("SLIPWAY_TEST_LEAK")));
}

TEST_F(ExecutionTest, NoDescriptorIsInherited) {
  Run(Shell("ls /proc/self/fd"));
  EXPECT_EQ(Output(), "0\n1\n2\n3\n") << "3 is the folder that ls itself reads";
}

TEST_F(ExecutionTest, KilledParentLosesNeitherStatusNorOutput) {
  ExecSpec spec = Shell("echo before; until [ -e go ]; do sleep 0.02; done; echo after; exit 5");
  spec.cwd = folder_.path();
  const pid_t agent = fork();
  if (agent == 0) {
    if (launcher_.Start(Path("run"), spec).ok()) pause();
    _exit(1);
  }
  ASSERT_TRUE(Eventually([&] { return Output() == "before\n"; }));
  kill(agent, SIGKILL);
  waitpid(agent, nullptr, 0);

  const Execution found(Path("run"));
  EXPECT_EQ(found.State().kind, Kind::running);
  std::ofstream(Path("go")) << "go";
  ASSERT_TRUE(found.WaitFor(kLong));
  EXPECT_EQ(found.State().exit.code, 5);
  EXPECT_EQ(Output(), "before\nafter\n");
}

TEST_F(ExecutionTest, DoubleForkedDaemonDoesNotOutliveTheRun) {
  ExecSpec spec = Shell("setsid sh -c '(sleep 300 & echo $! > daemon)'; exit 0");
  spec.cwd = folder_.path();
  const ExecExit exit = Run(spec);
  EXPECT_EQ(exit.code, 0);
  EXPECT_EQ(exit.leftovers, 1);
  ASSERT_GT(NumberIn(Path("daemon")), 0);
  EXPECT_FALSE(Lives(NumberIn(Path("daemon"))));
}

TEST_F(ExecutionTest, DaemonThatIgnoresTermIsKilled) {
  ExecSpec spec = Shell(
      "setsid sh -c 'trap \"\" TERM; echo $$ > daemon; sleep 300' & "
      "until [ -s daemon ]; do sleep 0.02; done");
  spec.cwd = folder_.path();
  EXPECT_GE(Run(spec).leftovers, 1);
  EXPECT_FALSE(Lives(NumberIn(Path("daemon"))));
}

TEST_F(ExecutionTest, DeadlineIsKeptWithoutAnyAgent) {
  ExecSpec spec = Shell("sleep 300");
  spec.deadline = absl::Milliseconds(100);
  const ExecExit exit = Run(spec);
  EXPECT_TRUE(exit.timed_out);
  EXPECT_EQ(exit.signal, SIGTERM);
}

TEST_F(ExecutionTest, ProgramThatIgnoresTermIsKilledAfterTheGrace) {
  ExecSpec spec = Shell("trap '' TERM; while :; do sleep 0.05; done");
  spec.deadline = absl::Milliseconds(100);
  spec.grace = absl::Milliseconds(100);
  const ExecExit exit = Run(spec);
  EXPECT_TRUE(exit.timed_out);
  EXPECT_EQ(exit.signal, SIGKILL);
}

TEST_F(ExecutionTest, FiftyMegabytesAreBoundedAndCounted) {
  EXPECT_EQ(Run(Shell("head -c 50000000 /dev/zero | tr '\\0' x; printf end")).code, 0);
  std::uintmax_t kept = 0;
  for (const auto& entry : std::filesystem::directory_iterator(Path("run"))) {
    if (entry.path().filename().string().rfind("out.", 0) == 0) kept += entry.file_size();
  }
  EXPECT_LE(kept, kSpoolHeadBytes + 2 * kSpoolTailBytes);
  EXPECT_EQ(SpoolTail(Path("run"), 4), "xend");
  const SpoolPiece gap = ReadSpool(Path("run"), kSpoolHeadBytes, 1);
  EXPECT_GT(gap.dropped, 49'000'000u);
}

TEST_F(ExecutionTest, FolderIsForOneRunOnly) {
  Run(Shell("echo once"));
  EXPECT_EQ(launcher_.Start(Path("run"), Shell("echo twice")).status().code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(ShimByHand(Path("run")), 1) << "a second shim refuses a used folder";
  EXPECT_EQ(Output(), "once\n");
}

TEST_F(ExecutionTest, SecondShimLeavesARunningFolderAlone) {
  const Execution run = Start(Shell("sleep 300"));
  EXPECT_EQ(ShimByHand(Path("run")), 1);
  EXPECT_EQ(run.State().kind, Kind::running);
  run.KillAll();
  ASSERT_TRUE(run.WaitFor(kLong));
}

TEST_F(ExecutionTest, RunsOfOneExclusiveLockNeverOverlap) {
  ExecSpec spec = Shell("sleep 300");
  spec.exclusive = Path("exclusive");
  const Execution first = Start(spec, "first");
  const Execution second = Start(spec, "second");
  ASSERT_TRUE(second.WaitFor(kLong));
  EXPECT_THAT(second.State().exit.refused, HasSubstr("another run holds"));
  first.KillAll();
  ASSERT_TRUE(first.WaitFor(kLong));
  EXPECT_EQ(first.State().exit.signal, SIGKILL);
}

TEST_F(ExecutionTest, FolderWithoutRecordIsProvenNotStartedForEver) {
  std::filesystem::create_directory(Path("run"));
  ASSERT_TRUE(WriteSpec(Path("run"), Shell("echo late")).ok());
  EXPECT_EQ(Execution(Path("run")).State().kind, Kind::not_started);
  ShimByHand(Path("run"));  // the shim that was spawned before the agent died, late
  EXPECT_EQ(Output(), "");
  EXPECT_EQ(Execution(Path("absent")).State().kind, Kind::not_started);
}

TEST_F(ExecutionTest, KilledShimIsNoticedAndItsProgramFoundByItsMark) {
  ExecSpec spec = Shell("(setsid sleep 301 &) ; sleep 300");
  const Execution run = Start(spec);
  ASSERT_TRUE(Eventually([&] { return run.Processes().size() == 3; }));
  const ExecRunning running = run.State().running;
  kill(running.shim.pid, SIGKILL);
  ASSERT_TRUE(Eventually([&] { return !IsAlive(running.shim); }));

  EXPECT_EQ(run.State().kind, Kind::running);
  EXPECT_TRUE(Eventually([&] { return run.Processes().size() == 3; }));
  run.KillAll();
  ASSERT_TRUE(run.WaitFor(kLong));
  EXPECT_EQ(run.State().kind, Kind::lost);
  EXPECT_TRUE(run.Processes().empty());
}

TEST_F(ExecutionTest, AnotherBootMeansLost) {
  Run(Shell("true"));
  std::filesystem::remove(Path("run/exit"));
  auto running = ReadRunning(Path("run"));
  ASSERT_TRUE(running.ok());
  running->shim = running->child = {getpid(), IdentityOf(getpid())->start_ticks, "earlier boot"};
  ASSERT_TRUE(WriteRunning(Path("run"), *running).ok());
  EXPECT_EQ(Execution(Path("run")).State().kind, Kind::lost);
}

TEST_F(ExecutionTest, KillAllEndsAProgramThatForksWithoutEnd) {
  const Execution run = Start(Shell("while :; do (setsid sleep 300 &); echo x; done"));
  ASSERT_TRUE(Eventually([&] { return Output().size() > 40; }));
  run.KillAll();
  ASSERT_TRUE(run.WaitFor(kLong));
  EXPECT_TRUE(ProcessesWithEnvironment(kExecMark, Path("run")).empty());
}

TEST_F(ExecutionTest, NoZombieStays) {
  for (int i = 0; i < 5; ++i) {
    const Execution run = Start(Shell("true"), "run" + std::to_string(i));
    ASSERT_TRUE(run.WaitFor(kLong));
  }
  EXPECT_EQ(Run({.argv = {"/nowhere/program"}}).leftovers, 0);
  for (const ProcessStat& stat : AllProcesses()) EXPECT_NE(stat.parent, getpid()) << stat.pid;
}

TEST_F(ExecutionTest, WaitGivesUpAtItsLimit) {
  const Execution run = Start(Shell("sleep 300"));
  EXPECT_FALSE(run.WaitFor(absl::Milliseconds(50)));
  run.Signal(SIGTERM);
  EXPECT_TRUE(run.WaitFor(kLong));
  EXPECT_EQ(run.State().exit.signal, SIGTERM);
}

}  // namespace
}  // namespace slipway::agent
