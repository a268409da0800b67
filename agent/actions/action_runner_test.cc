#include "agent/actions/action_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "agent/actions/action_table.h"
#include "agent/actions/test_host.h"

namespace slipway::agent {
namespace {

using testing::HasSubstr;

class ActionRunnerTest : public testing::Test {
 protected:
  std::unique_ptr<ActionRunner> MakeRunner() {
    return std::make_unique<ActionRunner>(
        ActionHost{.clock = host_.clock,
                   .services = host_.services,
                   .releases = host_.releases(),
                   .hooks = host_.hooks(),
                   .content = host_.content,
                   .output = host_.output(),
                   .find = FindAction,
                   .observe = [this] { return host_.releases().OnDisk(); },
                   .goes_down = [this] { return goes_down_.load(); }},
        ActionResults{
            .ended = [this](Answer answer) { Note(std::move(answer), false); },
            .probed = [this](Answer answer) { Note(std::move(answer), true); },
            .progress = [](const CommandId&, std::string_view, std::uint64_t, std::uint64_t) {}});
  }
  Command Hook(const std::string& name, int attempt = 1) {
    v1::Task task = host_.Task();
    task.mutable_action()->mutable_run()->set_hook("hooks/" + name);
    task.mutable_action()->mutable_run()->add_args("{{who}}");
    (*task.mutable_vars())["who"] = "everybody";
    return Of(task, attempt);
  }
  Command Of(const v1::Task& task, int attempt = 1) {
    Command command;
    command.id = {.rollout = {"ro-9"}, .host = {"web-1"}, .attempt = attempt};
    command.payload = task.SerializeAsString();
    command.previous = host_.digest("1.0");
    return command;
  }
  Answer Next() {
    MutexLock lock(mu_);
    while (answers_.empty()) {
      if (!cv_.WaitFor(mu_, absl::Seconds(20))) return {};
    }
    Answer answer = answers_.front();
    answers_.pop_front();
    return answer;
  }
  Answer Do(const Command& command) {
    runner_->Start(command);
    return Next();
  }

  TestHost host_;
  bool probed_ = false;  // whether the last answer was a probe's
  std::atomic<bool> goes_down_ = false;

 private:
  void Note(Answer answer, bool probed) {
    MutexLock lock(mu_);
    answers_.push_back(std::move(answer));
    probed_ = probed;
    cv_.NotifyAll();
  }
  Mutex mu_;
  CondVar cv_;
  std::deque<Answer> answers_;

 protected:
  std::unique_ptr<ActionRunner> runner_ = MakeRunner();
};

TEST_F(ActionRunnerTest, AnswerCarriesVerdictExcerptAndObservation) {
  const Command command = Hook("fails");
  const Answer answer = Do(command);
  EXPECT_EQ(answer.id, command.id);
  EXPECT_EQ(answer.verdict, Verdict::failed);
  EXPECT_EQ(answer.message, "hooks/fails exited with status 3");
  EXPECT_EQ(answer.excerpt, "it went wrong\n");
  EXPECT_EQ(answer.observed.at(host_.app()).on_disk, host_.digest("1.0"));
  EXPECT_FALSE(probed_);
  EXPECT_EQ(host_.output().Read(command.id, 0, 100)->bytes, "it went wrong\n");
}

TEST_F(ActionRunnerTest, VariablesOfTheHostWin) {
  Command command = Hook("ok");
  v1::HostVars vars;
  (*vars.mutable_vars())["who"] = "web-1 itself";
  command.vars = vars.SerializeAsString();
  EXPECT_THAT(Do(command).excerpt, HasSubstr("web-1 itself on"));
}

TEST_F(ActionRunnerTest, UnknownActionIsNeverExecuted) {
  v1::Task task = host_.Task();
  task.mutable_action()->mutable_load()->set_name("browse");
  EXPECT_THAT(Do(Of(task)).message, HasSubstr("upgrade the agent"));
}

TEST_F(ActionRunnerTest, ContentThatCannotBeReadFails) {
  Command command = Hook("ok");
  command.payload = "\xff\xff\xff";
  const Answer answer = Do(command);
  EXPECT_EQ(answer.verdict, Verdict::failed);
  EXPECT_THAT(answer.message, HasSubstr("cannot be read"));
}

TEST_F(ActionRunnerTest, DirectionChoosesTheWay) {
  Command command = Hook("ok");
  command.direction = Direction::undo;
  EXPECT_EQ(Do(command).message, "hooks/ok needs no undo");
  command = Hook("ok", 2);
  command.direction = Direction::previous;
  EXPECT_THAT(Do(command).excerpt, HasSubstr("1.0 after 1.0"));
}

TEST_F(ActionRunnerTest, CancelReachesARunningHook) {
  const Command command = Hook("slow");
  runner_->Start(command);
  runner_->Cancel(command.id);
  const Answer answer = Next();
  EXPECT_EQ(answer.verdict, Verdict::failed);
  EXPECT_THAT(answer.message, HasSubstr("cancelled"));
}

// A hook outlives the agent; the next one finds it by its probe.
TEST_F(ActionRunnerTest, StoppedRunnerSaysNothingAndTheNextOneFindsTheHook) {
  const Command command = Hook("slow");
  runner_->Start(command);
  while (!host_.output().Read(command.id, 0, 1).ok()) {
  }
  runner_ = MakeRunner();
  runner_->Probe(command, false);
  runner_->Cancel(command.id);
  const Answer answer = Next();
  EXPECT_TRUE(probed_);
  EXPECT_TRUE(answer.verdict == Verdict::failed || answer.verdict == Verdict::not_applied)
      << answer.message;
}

TEST_F(ActionRunnerTest, WhatFailsWhileTheMachineGoesDownIsAskedAboutAfterItsBoot) {
  goes_down_ = true;
  const Command command = Hook("fails");
  runner_->Start(command);
  EXPECT_EQ(Do(Hook("ok", 2)).message, "hooks/ok exited with status 0") << "this one is whole";
  runner_ = MakeRunner();
  goes_down_ = false;
  runner_->Probe(command, true);
  const Answer answer = Next();
  EXPECT_TRUE(probed_);
  EXPECT_EQ(answer.id, command.id) << "and nothing was said of it before";
  EXPECT_EQ(answer.message, "hooks/fails exited with status 3");
}

TEST(Printable, KeepsTextAndReplacesWhatWouldMoveACursor) {
  EXPECT_EQ(Printable("Grüße, 日本 \xf0\x9f\x9a\xa2\n\tok"), "Grüße, 日本 \xf0\x9f\x9a\xa2\n\tok");
  EXPECT_EQ(Printable("\x1b[31mred\x07"), "?[31mred?");
  EXPECT_EQ(Printable("\xff\xc3"), "??");
  EXPECT_EQ(Printable("\xc2\x9b"), "?") << "CSI as one character";
  EXPECT_EQ(Printable("\xc0\xaf"), "??") << "overlong";
  EXPECT_EQ(Printable("\xed\xa0\x80"), "???") << "half of a surrogate pair";
}

}  // namespace
}  // namespace slipway::agent
