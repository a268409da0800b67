#include "agent/services/hook_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "common/fs/test_directory.h"

namespace slipway::agent {
namespace {

using testing::HasSubstr;

class HookRunnerTest : public testing::Test {
 protected:
  HookOrder Order(const std::string& script, int attempt = 1) const {
    return {.id = {.rollout = {"ro-1"}, .host = {"web-1"}, .attempt = attempt},
            .argv = {"/bin/sh", "-c", script},
            .cwd = folder_.path(),
            .deadline = SystemClock().Monotonic() + absl::Seconds(30),
            .grace = absl::Milliseconds(100)};
  }
  absl::StatusOr<HookEnd> Run(const HookOrder& order, const HookWatch& watch = {}) {
    return hooks_->Run(order, *spool_, watch);
  }

  TestDirectory folder_;
  ExecLauncher launcher_{{SLIPWAY_EXEC_SHIM}};
  std::unique_ptr<HookRunner> hooks_ =
      *HookRunner::Open(folder_.path() + "/hooks", launcher_, SystemClock());
  std::unique_ptr<OutputArchive> archive_ = *OutputArchive::Open(folder_.path() + "/output");
  std::unique_ptr<OutputSpool> spool_ = *archive_->SpoolOf({.rollout = {"ro-1"}, .host = {"h"}});
};

TEST_F(HookRunnerTest, StatusOutputAndOutputsComeBack) {
  const auto end =
      Run(Order("echo said; echo \"rows=42\nurl=http://x/?a=b\" > $SLIPWAY_OUTPUTS; exit 75"));
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(end->exit.code, 75);
  EXPECT_THAT(end->outputs, testing::ElementsAre(testing::Pair("rows", "42"),
                                                 testing::Pair("url", "http://x/?a=b")));
  EXPECT_EQ(spool_->Tail(100), "said\n");
}

TEST_F(HookRunnerTest, SameCommandNeverRunsTwice) {
  const HookOrder order = Order("echo once >> count");
  ASSERT_TRUE(Run(order).ok());
  const auto again = Run(order);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->exit.code, 0);
  std::ifstream count(folder_.path() + "/count");
  std::string first, second;
  count >> first >> second;
  EXPECT_EQ(first, "once");
  EXPECT_EQ(second, "");
}

TEST_F(HookRunnerTest, DeadlineEndsTheHookAndAllItStarted) {
  HookOrder order = Order("trap '' TERM; (setsid sleep 300 &); while :; do sleep 0.05; done");
  order.deadline = SystemClock().Monotonic() + absl::Milliseconds(300);
  const auto end = Run(order);
  EXPECT_EQ(end.status().code(), absl::StatusCode::kDeadlineExceeded) << end.status();
  EXPECT_TRUE(
      ProcessesWithEnvironment(kExecMark, folder_.path() + "/hooks/ro-1/f0.0_web-1_1").empty());
}

TEST_F(HookRunnerTest, CancelledHookIsEnded) {
  bool cancelled = false;
  HookWatch watch;
  watch.cancelled = [&] { return std::exchange(cancelled, true); };
  const auto end = Run(Order("sleep 300"), watch);
  EXPECT_EQ(end.status().code(), absl::StatusCode::kAborted);
}

TEST_F(HookRunnerTest, AgentThatStopsLeavesTheHookAndFindsItAgain) {
  const HookOrder order = Order("until [ -e go ]; do sleep 0.02; done; echo done; exit 4");
  HookWatch watch;
  watch.stopping = [] { return true; };
  EXPECT_EQ(Run(order, watch).status().code(), absl::StatusCode::kCancelled);

  std::ofstream(folder_.path() + "/go") << "go";
  const auto adopted = hooks_->Adopt(order, *spool_, {});
  ASSERT_TRUE(adopted.ok()) << adopted.status();
  EXPECT_EQ(adopted->exit.code, 4);
  EXPECT_EQ(spool_->Tail(100), "done\n");
}

TEST_F(HookRunnerTest, HookThatNeverStartedIsProvenSo) {
  EXPECT_EQ(hooks_->Adopt(Order("true"), *spool_, {}).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(HookRunnerTest, MissingHookIsNamed) {
  HookOrder order = Order("");
  order.argv = {"/nowhere/hook"};
  const auto end = Run(order);
  EXPECT_EQ(end.status().code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(end.status().message()), HasSubstr("cannot execute /nowhere/hook"));
}

TEST_F(HookRunnerTest, LostHookIsUnknownAndNotRepeated) {
  const HookOrder order = Order("true");
  ASSERT_TRUE(Run(order).ok());
  const std::string dir = folder_.path() + "/hooks/ro-1/f0.0_web-1_1";
  std::filesystem::remove(dir + "/exit");  // as if the power had gone before its end
  EXPECT_EQ(Run(order).status().code(), absl::StatusCode::kUnknown);
}

TEST_F(HookRunnerTest, ShimThatDoesNotComeUpRunsNothingAndIsTold) {
  const ExecLauncher broken({"/bin/true"});
  const auto hooks = *HookRunner::Open(folder_.path() + "/hooks", broken, SystemClock());
  const auto end = hooks->Run(Order("echo never > never"), *spool_, {});
  EXPECT_EQ(end.status().code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(end.status().message()), HasSubstr("was not run"));
  EXPECT_FALSE(std::filesystem::exists(folder_.path() + "/never"));
}

TEST_F(HookRunnerTest, ForgottenRolloutLeavesNoFolder) {
  ASSERT_TRUE(Run(Order("true")).ok());
  hooks_->Forget({"ro-1"});
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path() + "/hooks"));
}

}  // namespace
}  // namespace slipway::agent
