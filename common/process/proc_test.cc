#include "common/process/proc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "common/clock.h"

namespace slipway {
namespace {

// A child that waits until it is killed.
pid_t ForkWaiting() {
  const pid_t pid = fork();
  if (pid == 0) {
    pause();
    _exit(0);
  }
  return pid;
}

TEST(Proc, OwnStatIsRead) {
  const auto stat = ReadProcessStat(getpid());
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->parent, getppid());
  EXPECT_EQ(stat->session, getsid(0));
  EXPECT_EQ(stat->state, 'R');
  EXPECT_GT(stat->rss_bytes, 100'000u);
}

TEST(Proc, NameWithBracketsAndBlanksDoesNotConfuse) {
  ASSERT_EQ(prctl(PR_SET_NAME, "a) S 1 (b"), 0);
  const auto stat = ReadProcessStat(getpid());
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->parent, getppid());
}

TEST(Proc, StartTimeIsBetweenBootAndNow) {
  const auto stat = ReadProcessStat(getpid());
  ASSERT_TRUE(stat);
  const absl::Time now = SystemClock().Now();
  EXPECT_LT(StartTime(stat->start_ticks), now + absl::Seconds(2));
  EXPECT_GT(StartTime(stat->start_ticks), now - absl::Hours(1));
}

TEST(Proc, DeadAndForeignIdentitiesAreNotAlive) {
  const pid_t pid = ForkWaiting();
  const auto identity = IdentityOf(pid);
  ASSERT_TRUE(identity);
  EXPECT_TRUE(IsAlive(*identity));

  ProcessIdentity earlier = *identity;
  earlier.start_ticks -= 1;
  EXPECT_FALSE(IsAlive(earlier)) << "the pid was used again";
  ProcessIdentity other_boot = *identity;
  other_boot.boot_id = "another";
  EXPECT_FALSE(IsAlive(other_boot));

  kill(pid, SIGKILL);
  siginfo_t info{};
  waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT);
  EXPECT_FALSE(IsAlive(*identity)) << "a zombie does not live";
  waitpid(pid, nullptr, 0);
  EXPECT_FALSE(IsAlive(*identity));
}

TEST(Proc, DescendantsAreFoundByParent) {
  const pid_t pid = ForkWaiting();
  bool found = false;
  for (const ProcessStat& stat : Descendants(getpid())) found |= stat.pid == pid;
  EXPECT_TRUE(found);
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
  EXPECT_TRUE(Descendants(getpid()).empty());
}

TEST(Proc, OwnExecutableAndDirectoryAreRead) {
  EXPECT_THAT(ExecutableOf(getpid()), testing::EndsWith("common_process_test"));
  EXPECT_THAT(WorkingDirectoryOf(getpid()), testing::StartsWith("/"));
  EXPECT_THAT(CommandLineOf(getpid()), testing::HasSubstr("common_process_test"));
  EXPECT_EQ(ExecutableOf(0), "");
}

TEST(Proc, EnvironmentFindsTheProcess) {
  const pid_t pid = fork();
  if (pid == 0) {
    setenv("SLIPWAY_PROC_TEST", "mark", 1);
    execlp("sleep", "sleep", "30", nullptr);
    _exit(1);
  }
  std::vector<ProcessStat> found;
  const absl::Duration give_up = SystemClock().Monotonic() + absl::Seconds(10);
  while (found.empty() && SystemClock().Monotonic() < give_up) {
    found = ProcessesWithEnvironment("SLIPWAY_PROC_TEST", "mark");
  }
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].pid, pid);
  EXPECT_EQ(EnvironmentOf(pid, "SLIPWAY_PROC_ABSENT"), std::nullopt);
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
}

}  // namespace
}  // namespace slipway
