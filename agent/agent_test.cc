// The parts of the agent's root that have threads of their own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/core_loop.h"
#include "agent/output_sender.h"
#include "agent/state/fake_log_file.h"
#include "common/clock.h"
#include "common/manual_clock.h"
#include "slipway/v1/agent_session.pb.h"

namespace slipway::agent {
namespace {

// Lines of text; a test waits for one.
class Record {
 public:
  void Add(std::string line) {
    MutexLock lock(mu_);
    lines_.push_back(std::move(line));
    changed_.NotifyAll();
  }
  bool Has(const std::string& line) {
    MutexLock lock(mu_);
    return std::count(lines_.begin(), lines_.end(), line) > 0;
  }
  bool Await(const std::string& line, int times = 1) {
    const absl::Duration deadline = SystemClock().Monotonic() + absl::Seconds(10);
    MutexLock lock(mu_);
    while (std::count(lines_.begin(), lines_.end(), line) < times) {
      const absl::Duration left = deadline - SystemClock().Monotonic();
      if (left <= absl::ZeroDuration()) return false;
      changed_.WaitFor(mu_, left);
    }
    return true;
  }

 private:
  Mutex mu_;
  CondVar changed_;
  std::vector<std::string> lines_ ABSL_GUARDED_BY(mu_);
};

CommandId IdOf(const std::string& rollout) {
  return {{rollout}, Course::forward, 0, 0, {"web-1"}, 1};
}

Command CommandOf(const std::string& rollout) {
  Command command;
  command.id = IdOf(rollout);
  command.fence = {1, "holder", 1, "head"};
  command.nonce = "nonce";
  return command;
}

class RecordingSender final : public Sender {
 public:
  explicit RecordingSender(Record& record) : record_(record) {}
  void Accepted(const Acceptance& it) override { record_.Add("accepted " + ToString(it.id)); }
  void Refused(const Refusal& it) override { record_.Add("refused " + ToString(it.id)); }
  void Answered(const Answer& it) override { record_.Add("answered " + ToString(it.id)); }

 private:
  Record& record_;
};

class RecordingExecutor final : public Executor {
 public:
  explicit RecordingExecutor(Record& record) : record_(record) {}
  void Start(const Command& command) override { record_.Add("start " + ToString(command.id)); }
  void Probe(const Command& command, bool) override {
    record_.Add("probe " + ToString(command.id));
  }
  void Cancel(const CommandId& id) override { record_.Add("cancel " + ToString(id)); }

 private:
  Record& record_;
};

class CoreLoopTest : public testing::Test {
 protected:
  void SetUp() override {
    log_ = *CommandLog::Open(file_);
    runner_ = *TaskRunner::Open({"web-1"}, "boot-1", *log_, sender_, executor_);
    loop_.Start(*runner_);
  }
  void TearDown() override { loop_.Stop(); }

  Record record_;
  RecordingSender sender_{record_};
  RecordingExecutor executor_{record_};
  FakeLogFile file_{1};
  std::unique_ptr<CommandLog> log_;
  std::unique_ptr<TaskRunner> runner_;
  CoreLoop loop_{
      SystemClock(),
      {[this](const absl::Status&) { record_.Add("fatal"); },
       [this](const RolloutId& rollout, const State&) { record_.Add("closed " + rollout.text); }}};
};

TEST_F(CoreLoopTest, CommandIsAcceptedStartedAndAnsweredAndSaidAgainToANewSession) {
  loop_.Hear(Received{CommandOf("ro-1"), "nonce"});
  ASSERT_TRUE(record_.Await("accepted ro-1/f0.0/web-1/1"));
  ASSERT_TRUE(record_.Await("start ro-1/f0.0/web-1/1"));
  // The snapshot follows the batch; when the next one is heard, it is there.
  loop_.Hear(Received{CommandOf("ro-1"), "nonce"});
  ASSERT_TRUE(record_.Await("accepted ro-1/f0.0/web-1/1", 2));
  EXPECT_TRUE(loop_.IsRunning(IdOf("ro-1")));
  Answer answer;
  answer.id = IdOf("ro-1");
  answer.verdict = Verdict::succeeded;
  loop_.Hear(Ended{answer});
  ASSERT_TRUE(record_.Await("answered ro-1/f0.0/web-1/1"));
  loop_.Connected();
  ASSERT_TRUE(record_.Await("answered ro-1/f0.0/web-1/1", 2));
  EXPECT_FALSE(loop_.IsRunning(IdOf("ro-1")));
}

TEST_F(CoreLoopTest, ClosedRolloutIsToldOnceItIsDurable) {
  loop_.Hear(Received{CommandOf("ro-1"), "nonce"});
  ASSERT_TRUE(record_.Await("start ro-1/f0.0/web-1/1"));
  loop_.Hear(RolloutClosed{{"ro-1"}});
  EXPECT_TRUE(record_.Await("closed ro-1"));
}

TEST_F(CoreLoopTest, LostDiskIsFatal) {
  file_.FailNextSync();
  loop_.Hear(Received{CommandOf("ro-1"), "nonce"});
  EXPECT_TRUE(record_.Await("fatal"));
}

class OutputSenderTest : public testing::Test {
 protected:
  static std::string FreshDir() {
    std::string pattern = testing::TempDir() + "/output_sender_XXXXXX";
    return ::mkdtemp(pattern.data());
  }

  Record record_;
  std::atomic<bool> running_ = false;
  std::atomic<std::size_t> waiting_ = 0;
  const std::unique_ptr<OutputArchive> archive_ = *OutputArchive::Open(FreshDir() + "/output");
  ManualClock clock_;
  OutputSender sender_{{clock_, *archive_, [this](const CommandId&) { return running_.load(); },
                        [this] {
                          record_.Add("asked");
                          return waiting_.load();
                        },
                        [this](const v1::OutputChunk& chunk) {
                          record_.Add(chunk.request() + ": " + chunk.data() +
                                      (chunk.end() ? "end" : "") +
                                      (chunk.error().empty() ? "" : " with an error"));
                        }}};
};

TEST_F(OutputSenderTest, WhatWasSaidIsSentAndThenTheEnd) {
  (*archive_->SpoolOf(IdOf("ro-1")))->Write("lines\n");
  sender_.Begin("r1", {IdOf("ro-1"), 0, false});
  EXPECT_TRUE(record_.Await("r1: lines\n"));
  EXPECT_TRUE(record_.Await("r1: end"));
}

TEST_F(OutputSenderTest, FollowerHearsWhatComesUntilTheCommandEnds) {
  running_ = true;
  const auto spool = *archive_->SpoolOf(IdOf("ro-1"));
  spool->Write("one");
  sender_.Begin("r1", {IdOf("ro-1"), 0, true});
  ASSERT_TRUE(record_.Await("r1: one"));
  spool->Write("two");
  ASSERT_TRUE(record_.Await("r1: two"));
  running_ = false;
  EXPECT_TRUE(record_.Await("r1: end"));
}

TEST_F(OutputSenderTest, FollowerMayBeThereBeforeTheCommand) {
  sender_.Begin("r1", {IdOf("ro-1"), 0, true});
  ASSERT_TRUE(record_.Await("asked", 2));
  running_ = true;
  (*archive_->SpoolOf(IdOf("ro-1")))->Write("one");
  ASSERT_TRUE(record_.Await("r1: one"));
  running_ = false;
  EXPECT_TRUE(record_.Await("r1: end"));
}

TEST_F(OutputSenderTest, CommandThatNeverComesEndsItsFollower) {
  sender_.Begin("r1", {IdOf("ro-1"), 0, true});
  ASSERT_TRUE(record_.Await("asked", 2));
  clock_.Advance(absl::Minutes(1));
  EXPECT_TRUE(record_.Await("r1: end with an error"));
}

TEST_F(OutputSenderTest, UnknownCommandIsAnError) {
  sender_.Begin("r1", {IdOf("ro-9"), 0, false});
  EXPECT_TRUE(record_.Await("r1: end with an error"));
}

TEST_F(OutputSenderTest, SenderWaitsWhileTheSessionIsFull) {
  (*archive_->SpoolOf(IdOf("ro-1")))->Write("lines\n");
  waiting_ = 10 << 20;
  sender_.Begin("r1", {IdOf("ro-1"), 0, false});
  ASSERT_TRUE(record_.Await("asked", 3));
  EXPECT_FALSE(record_.Has("r1: lines\n"));
  waiting_ = 0;
  EXPECT_TRUE(record_.Await("r1: end"));
}

}  // namespace
}  // namespace slipway::agent
