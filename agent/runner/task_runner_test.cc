#include "agent/runner/task_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/state/fake_log_file.h"

namespace slipway::agent {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Crash = FakeLogFile::Crash;

CommandId Id(int step, std::string rollout = "ro-1") {
  return {RolloutId{std::move(rollout)},    Course::forward, 0,
          static_cast<std::uint16_t>(step), HostId{"web-1"}, 1};
}

Received Receive(CommandId id, std::size_t payload_bytes = 10) {
  Command command;
  command.id = std::move(id);
  command.fence = {1, "a", 1, "head"};
  command.nonce = "n";
  command.payload = std::string(payload_bytes, 'p');
  return {command, "n"};
}

Answer MakeAnswer(CommandId id) {
  Answer answer;
  answer.id = std::move(id);
  answer.verdict = Verdict::succeeded;
  return answer;
}

// Writes down what it was asked, like a wire that nobody listens to.
struct FakeSender final : Sender {
  void Accepted(const Acceptance& a) override { accepted.push_back(a.id); }
  void Refused(const Refusal& r) override { refused.push_back(r); }
  void Answered(const Answer& a) override { answered.push_back(a.id); }
  std::vector<CommandId> accepted, answered;
  std::vector<Refusal> refused;
};

// A host on which everything that was started runs until told otherwise.
struct FakeExecutor final : Executor {
  void Start(const Command& c) override { started.push_back(c.id); }
  void Probe(const Command& c, bool booted) override {
    probed.push_back(c.id);
    rebooted = booted;
  }
  void Cancel(const CommandId& id) override { cancelled.push_back(id); }
  std::vector<CommandId> started, probed, cancelled;
  bool rebooted = false;
};

class TaskRunnerTest : public testing::Test {
 protected:
  TaskRunnerTest() { Open("boot-1"); }

  void Open(std::string boot_id) {
    runner_.reset();
    auto log = CommandLog::Open(file_);
    ASSERT_TRUE(log.ok()) << log.status();
    log_ = *std::move(log);
    auto runner = TaskRunner::Open(HostId{"web-1"}, std::move(boot_id), *log_, sender_, executor_);
    ASSERT_TRUE(runner.ok()) << runner.status();
    runner_ = *std::move(runner);
  }

  FakeLogFile file_{1};
  FakeSender sender_;
  FakeExecutor executor_;
  std::unique_ptr<CommandLog> log_;
  std::unique_ptr<TaskRunner> runner_;
};

TEST_F(TaskRunnerTest, NothingIsSaidOrDoneWhenTheWriteCrashes) {
  for (const Crash how : {Crash::before, Crash::torn, Crash::unsynced, Crash::after}) {
    file_.CrashAfter(0, how);
    EXPECT_FALSE(runner_->Pump({Receive(Id(static_cast<int>(how)))}).ok());
    EXPECT_THAT(executor_.started, IsEmpty());
    EXPECT_THAT(sender_.accepted, IsEmpty());
    file_.Restart(false);
    Open("boot-1");
  }
}

TEST_F(TaskRunnerTest, AcceptedBeforeStartedBeforeAnswered) {
  ASSERT_TRUE(runner_->Pump({Receive(Id(0))}).ok());
  EXPECT_THAT(sender_.accepted, ElementsAre(Id(0)));
  EXPECT_THAT(executor_.started, ElementsAre(Id(0)));
  ASSERT_TRUE(runner_->Pump({Ended{MakeAnswer(Id(0))}}).ok());
  EXPECT_THAT(sender_.answered, ElementsAre(Id(0)));
}

TEST_F(TaskRunnerTest, CommandSentTwiceInOneBatchStartsOnce) {
  ASSERT_TRUE(runner_->Pump({Receive(Id(0)), Receive(Id(0))}).ok());
  EXPECT_THAT(executor_.started, ElementsAre(Id(0)));
  EXPECT_THAT(sender_.accepted, SizeIs(2));
}

TEST_F(TaskRunnerTest, AnswersAreSentAgainInOrderUntilAcknowledged) {
  for (int step = 0; step < 3; ++step) {
    ASSERT_TRUE(runner_->Pump({Receive(Id(step))}).ok());
    ASSERT_TRUE(runner_->Pump({Ended{MakeAnswer(Id(step))}}).ok());
  }
  ASSERT_TRUE(runner_->Pump({Acknowledged{Id(1)}}).ok());
  Open("boot-1");
  sender_.answered.clear();
  runner_->Connected();
  EXPECT_THAT(sender_.answered, ElementsAre(Id(0), Id(2)));
}

TEST_F(TaskRunnerTest, RestartProbesWhatWasStartedAndStartsNothing) {
  ASSERT_TRUE(runner_->Pump({Receive(Id(0))}).ok());
  executor_.started.clear();
  Open("boot-2");
  EXPECT_THAT(executor_.probed, ElementsAre(Id(0)));
  EXPECT_TRUE(executor_.rebooted);
  EXPECT_THAT(executor_.started, IsEmpty());
}

TEST_F(TaskRunnerTest, FullDiskRefusesCommandsAndRecordsAnswers) {
  ASSERT_TRUE(runner_->Pump({Receive(Id(0))}).ok());
  file_.SetFree(0);
  ASSERT_TRUE(runner_->Pump({Receive(Id(1)), Ended{MakeAnswer(Id(0))}, Receive(Id(2))}).ok());
  EXPECT_THAT(sender_.answered, ElementsAre(Id(0)));
  ASSERT_FALSE(sender_.refused.empty());
  EXPECT_EQ(sender_.refused[0].id, Id(1));
  EXPECT_EQ(sender_.refused[0].why, Refusal::Why::no_space);
  const State live = runner_->state();
  EXPECT_EQ(BrokenInvariant(live), "");
  Open(live.boot_id);
  EXPECT_EQ(runner_->state().outbox, live.outbox);
}

TEST_F(TaskRunnerTest, LogShrinksWhenRolloutsClose) {
  for (int i = 0; i < 40; ++i) {
    const CommandId id = Id(0, "ro-" + std::to_string(i));
    ASSERT_TRUE(runner_->Pump({Receive(id, 40'000)}).ok());
    ASSERT_TRUE(runner_->Pump({Ended{MakeAnswer(id)}}).ok());
    ASSERT_TRUE(runner_->Pump({Acknowledged{id}, RolloutClosed{id.rollout}}).ok());
  }
  EXPECT_LT(log_->size(), 700'000U) << "1.6 MB went through it";
  const State live = runner_->state();
  Open(live.boot_id);
  EXPECT_EQ(runner_->state(), live);
}

}  // namespace
}  // namespace slipway::agent
