#include "agent/core/core.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace slipway::agent {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const RolloutId kRollout{"ro-1"};

CommandId Id(int step, int attempt = 1, Course course = Course::forward) {
  return {kRollout, course, 0, static_cast<std::uint16_t>(step), HostId{"web-1"}, attempt};
}

Command MakeCommand(CommandId id, std::uint64_t epoch = 1, std::string holder = "a") {
  Command command;
  command.id = std::move(id);
  command.fence = {epoch, std::move(holder), epoch * 10, "head"};
  command.nonce = "n";
  command.payload = "payload";
  return command;
}

Answer MakeAnswer(CommandId id, Verdict verdict = Verdict::succeeded) {
  Answer answer;
  answer.id = std::move(id);
  answer.verdict = verdict;
  answer.message = "done";
  return answer;
}

// An agent without a disk: what was decided counts as durable.
class CoreTest : public testing::Test {
 protected:
  CoreTest() {
    state_.host = HostId{"web-1"};
    Tell(Restarted{"boot-1"});
  }

  std::vector<Reply> Tell(const Input& input) {
    std::vector<Record> records;
    std::vector<Reply> replies;
    Decide(state_, input, records, replies);
    EXPECT_EQ(BrokenInvariant(state_), "");
    log_.insert(log_.end(), records.begin(), records.end());
    last_ = records;
    return replies;
  }
  std::vector<Reply> Send(const Command& command) { return Tell(Received{command, "n"}); }
  std::vector<Reply> Send(CommandId id) { return Send(MakeCommand(std::move(id))); }

  Refusal::Why WhyRefused(const std::vector<Reply>& replies) {
    const auto* refusal = replies.empty() ? nullptr : std::get_if<Refusal>(&replies[0]);
    EXPECT_NE(refusal, nullptr) << "was not refused";
    EXPECT_THAT(last_, IsEmpty()) << "a refusal leaves no trace";
    return refusal == nullptr ? Refusal::Why::no_space : refusal->why;
  }

  State state_;
  std::vector<Record> log_, last_;
};

TEST_F(CoreTest, CommandIsAcceptedAndStartedInOneBatch) {
  EXPECT_THAT(Send(Id(0)), ElementsAre(Reply(Acceptance{Id(0)})));
  EXPECT_THAT(last_, ElementsAre(Record(Accepted{MakeCommand(Id(0))}), Record(Started{Id(0)})));
  ASSERT_NE(ToRun(state_), nullptr);
  EXPECT_EQ(ToRun(state_)->id, Id(0));
}

TEST_F(CoreTest, KnownCommandIsAcceptedAgainAndLeavesNoTrace) {
  Send(Id(0));
  EXPECT_THAT(Send(Id(0)), ElementsAre(Reply(Acceptance{Id(0)})));
  EXPECT_THAT(last_, IsEmpty());
}

TEST_F(CoreTest, AnswerIsRepeatedUnchangedAlsoAfterItWasAcknowledged) {
  Send(Id(0));
  EXPECT_THAT(Tell(Ended{MakeAnswer(Id(0))}), ElementsAre(Reply(MakeAnswer(Id(0)))));
  EXPECT_THAT(Tell(Ended{MakeAnswer(Id(0), Verdict::failed)}), IsEmpty())
      << "an outcome is for ever";
  EXPECT_THAT(Outbox(state_), ElementsAre(testing::Pointee(MakeAnswer(Id(0)))));
  Tell(Acknowledged{Id(0)});
  EXPECT_THAT(Outbox(state_), IsEmpty());
  EXPECT_THAT(Send(Id(0)), ElementsAre(Reply(MakeAnswer(Id(0)))));
  Tell(Acknowledged{Id(0)});
  EXPECT_THAT(last_, IsEmpty());
}

TEST_F(CoreTest, OneCommandRunsAtATimeInOrder) {
  Send(Id(0));
  Send(Id(1));
  Send(Id(2));
  EXPECT_EQ(ToRun(state_)->id, Id(0));
  Tell(Ended{MakeAnswer(Id(0))});
  EXPECT_EQ(ToRun(state_)->id, Id(1));
}

TEST_F(CoreTest, WayBackAsksTheRunningForwardCommandToEnd) {
  Send(Id(0));
  EXPECT_EQ(ToCancel(state_), std::nullopt);
  Send(Id(0, 1, Course::backward));
  EXPECT_EQ(ToCancel(state_), Id(0));
  Tell(Ended{MakeAnswer(Id(0), Verdict::failed)});
  EXPECT_EQ(ToRun(state_)->id, Id(0, 1, Course::backward));
  EXPECT_EQ(ToCancel(state_), std::nullopt);
}

TEST_F(CoreTest, StartedCommandIsProbedAfterARestartAndNeverRunAgain) {
  Send(Id(0));
  Tell(Restarted{"boot-1"});
  EXPECT_EQ(ToRun(state_), nullptr);
  ASSERT_NE(ToProbe(state_).command, nullptr);
  EXPECT_FALSE(ToProbe(state_).rebooted);
  EXPECT_THAT(Send(Id(0)), ElementsAre(Reply(Acceptance{Id(0)}))) << "known, being found out";
  EXPECT_EQ(ToRun(state_), nullptr);
  const Answer found = MakeAnswer(Id(0), Verdict::unknown);
  EXPECT_THAT(Tell(Probed{found, false}), ElementsAre(Reply(found)));
  EXPECT_EQ(ToProbe(state_).command, nullptr);
}

TEST_F(CoreTest, ProbeKnowsThatTheMachineBooted) {
  Send(Id(0));
  Tell(Restarted{"boot-2"});
  EXPECT_TRUE(ToProbe(state_).rebooted);
}

TEST_F(CoreTest, AdoptedCommandGoesOnAndEnds) {
  Send(Id(0));
  Tell(Restarted{"boot-1"});
  Tell(Probed{MakeAnswer(Id(0)), true});
  EXPECT_EQ(ToRun(state_)->id, Id(0));
  EXPECT_THAT(Tell(Ended{MakeAnswer(Id(0))}), SizeIs(1));
}

TEST_F(CoreTest, WaitingCommandIsProvablyWithoutEffectAfterARestart) {
  Send(Id(0));
  Send(Id(1));
  const auto replies = Tell(Restarted{"boot-1"});
  ASSERT_THAT(replies, SizeIs(1));
  EXPECT_EQ(std::get<Answer>(replies[0]).id, Id(1));
  EXPECT_EQ(std::get<Answer>(replies[0]).verdict, Verdict::not_applied);
}

TEST_F(CoreTest, NothingStartsWhileAProbeIsOut) {
  Send(Id(0));
  Tell(Restarted{"boot-1"});
  Send(Id(1));
  EXPECT_EQ(ToRun(state_), nullptr);
  Tell(Probed{MakeAnswer(Id(0), Verdict::not_applied), false});
  EXPECT_EQ(ToRun(state_)->id, Id(1));
}

TEST_F(CoreTest, LaterAttemptWaitsForTheEarlierAndTakesItsSuccess) {
  Send(Id(0, 1));
  Send(Id(0, 2));
  EXPECT_EQ(ToRun(state_)->id, Id(0, 1));
  const auto replies = Tell(Ended{MakeAnswer(Id(0, 1))});
  ASSERT_THAT(replies, SizeIs(2));
  EXPECT_EQ(std::get<Answer>(replies[1]).id, Id(0, 2));
  EXPECT_EQ(std::get<Answer>(replies[1]).verdict, Verdict::succeeded);
  EXPECT_EQ(ToRun(state_), nullptr) << "the effect is there already";
}

TEST_F(CoreTest, LaterAttemptRunsAfterAFailure) {
  Send(Id(0, 1));
  Tell(Ended{MakeAnswer(Id(0, 1), Verdict::failed)});
  Send(Id(0, 2));
  EXPECT_EQ(ToRun(state_)->id, Id(0, 2));
}

TEST_F(CoreTest, RefusesAnOlderEpoch) {
  Send(MakeCommand(Id(0), 2));
  EXPECT_EQ(WhyRefused(Send(MakeCommand(Id(1), 1))), Refusal::Why::stale_epoch);
  EXPECT_EQ(WhyRefused(Send(MakeCommand(Id(0), 1))), Refusal::Why::stale_epoch)
      << "also for a command that is known";
}

TEST_F(CoreTest, RefusesTheSameEpochFromAnotherHolder) {
  Send(MakeCommand(Id(0), 2, "a"));
  EXPECT_EQ(WhyRefused(Send(MakeCommand(Id(1), 2, "b"))), Refusal::Why::other_holder);
}

TEST_F(CoreTest, RefusesAnEpochTooFarAhead) {
  Send(MakeCommand(Id(0), 2));
  EXPECT_EQ(WhyRefused(Send(MakeCommand(Id(1), 2 + kEpochJumpMax + 1))), Refusal::Why::epoch_jump);
  EXPECT_EQ(WhyRefused(Send(MakeCommand(Id(1), UINT64_MAX))), Refusal::Why::epoch_jump);
  EXPECT_THAT(Send(MakeCommand(Id(1), 2 + kEpochJumpMax)), ElementsAre(Reply(Acceptance{Id(1)})));
}

TEST_F(CoreTest, RefusesAnEpochTooFarAheadInAnUnknownRollout) {
  EXPECT_EQ(WhyRefused(Send(MakeCommand(Id(0), kEpochJumpMax + 1))), Refusal::Why::epoch_jump);
}

TEST_F(CoreTest, NewerControllerShutsOutTheOlderByAskingAgain) {
  Send(MakeCommand(Id(0), 1));
  Send(MakeCommand(Id(0), 2, "b"));
  EXPECT_THAT(last_, ElementsAre(Record(Fenced{kRollout, {2, "b", 20, "head"}})));
  EXPECT_EQ(WhyRefused(Send(MakeCommand(Id(1), 1))), Refusal::Why::stale_epoch);
}

TEST_F(CoreTest, WaitingCommandOfAnOlderEpochIsStartedOnlyIfTheNewerControllerAsksToo) {
  for (const bool asked_again : {false, true}) {
    const int base = asked_again ? 10 : 0;
    const std::uint64_t older = asked_again ? 3 : 1;
    Send(MakeCommand(Id(base), older));
    Send(MakeCommand(Id(base + 1), older));
    Send(MakeCommand(Id(base), older + 1, "b"));
    if (asked_again) Send(MakeCommand(Id(base + 1), older + 1, "b"));
    const auto replies = Tell(Ended{MakeAnswer(Id(base))});
    EXPECT_EQ(ToRun(state_) != nullptr, asked_again);
    ASSERT_THAT(replies, SizeIs(asked_again ? 1 : 2));
    if (asked_again) continue;
    EXPECT_EQ(std::get<Answer>(replies[1]).verdict, Verdict::not_applied);
  }
}

TEST_F(CoreTest, RefusesBytesOfAnEarlierSession) {
  EXPECT_EQ(WhyRefused(Tell(Received{MakeCommand(Id(0)), "later"})), Refusal::Why::other_session);
}

TEST_F(CoreTest, RefusesCommandsForAnotherHost) {
  Command command = MakeCommand(Id(0));
  command.id.host = HostId{"web-2"};
  EXPECT_EQ(WhyRefused(Send(command)), Refusal::Why::wrong_host);
}

TEST_F(CoreTest, RefusesADirectionThatItDoesNotKnow) {
  Command command = MakeCommand(Id(0));
  command.direction = static_cast<Direction>(17);
  EXPECT_EQ(WhyRefused(Send(command)), Refusal::Why::unknown_direction);
}

TEST_F(CoreTest, RefusesALowerAttemptThanOneSeen) {
  Send(Id(0, 3));
  EXPECT_EQ(WhyRefused(Send(Id(0, 2))), Refusal::Why::old_attempt);
}

TEST_F(CoreTest, ClosedRolloutIsForgottenAndRefused) {
  Send(Id(0));
  Tell(Ended{MakeAnswer(Id(0))});
  Tell(RolloutClosed{kRollout});
  EXPECT_THAT(state_.entries, IsEmpty());
  EXPECT_THAT(Outbox(state_), IsEmpty());
  EXPECT_THAT(Witnesses(state_), IsEmpty());
  EXPECT_EQ(WhyRefused(Send(Id(1))), Refusal::Why::closed_rollout);
  Tell(RolloutClosed{kRollout});
  EXPECT_THAT(last_, IsEmpty());
}

TEST_F(CoreTest, CommandThatOutlivesItsRolloutIsForgottenWhenItEnds) {
  Send(Id(0));
  Send(Id(1));
  Tell(RolloutClosed{kRollout});
  EXPECT_EQ(ToRun(state_)->id, Id(0));
  EXPECT_THAT(Tell(Ended{MakeAnswer(Id(0))}), IsEmpty());
  EXPECT_EQ(ToRun(state_), nullptr) << "what waited was dropped";
  EXPECT_THAT(state_.entries, IsEmpty());
}

TEST_F(CoreTest, TombstonesAreBounded) {
  for (std::size_t i = 0; i < kTombstonesMax + 10; ++i) {
    Tell(RolloutClosed{RolloutId{"ro-x" + std::to_string(i)}});
  }
  EXPECT_THAT(state_.closed, SizeIs(kTombstonesMax));
}

TEST_F(CoreTest, QueueIsBounded) {
  for (std::size_t i = 0; i <= kWaitingMax; ++i) Send(Id(static_cast<int>(i)));
  EXPECT_EQ(WhyRefused(Send(Id(1000))), Refusal::Why::overloaded);
}

TEST_F(CoreTest, RefusesACommandThatALaterOneOvertook) {
  Command late = MakeCommand(Id(0));
  late.fence.sequence = 9;
  Send(MakeCommand(Id(0, 1, Course::backward)));
  EXPECT_EQ(WhyRefused(Send(late)), Refusal::Why::old_attempt);
  late.fence.epoch = 2;  // a newer controller whose journal went back
  EXPECT_EQ(WhyRefused(Send(late)), Refusal::Why::old_attempt);
}

TEST_F(CoreTest, WitnessKeepsTheHighestPositionSeen) {
  Send(MakeCommand(Id(0), 1));
  Command again = MakeCommand(Id(0), 2);
  again.fence.sequence = 5;  // known: answered, whatever the journal says
  again.fence.head = "older";
  Send(again);
  EXPECT_THAT(Witnesses(state_), ElementsAre(Witness{kRollout, {2, "a", 10, "head"}}));
}

// Random inputs, each given twice: invariants hold, a repetition changes nothing, and both the
// log and its condensed form rebuild the state.
TEST_F(CoreTest, ReplayAndCondensedReplayEqualLive) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    std::mt19937 random(seed);
    const auto pick = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
    state_ = State{};
    state_.host = HostId{"web-1"};
    log_.clear();
    Tell(Restarted{"boot-0"});
    for (int i = 0; i < 60; ++i) {
      CommandId id = Id(pick(3), 1 + pick(3), pick(3) == 0 ? Course::backward : Course::forward);
      id.rollout.text = "ro-" + std::to_string(pick(3));
      if (pick(3) > 0 && state_.current) id = *state_.current;
      Input input = Received{MakeCommand(id, 1 + static_cast<std::uint64_t>(pick(3))), "n"};
      switch (pick(8)) {
        case 0:
          input = Restarted{"boot-" + std::to_string(pick(2))};
          break;
        case 1:
          input = Ended{MakeAnswer(id, static_cast<Verdict>(pick(6)))};
          break;
        case 2:
          input = Probed{MakeAnswer(id, static_cast<Verdict>(pick(6))), pick(2) == 0};
          break;
        case 3:
          input = Acknowledged{id};
          break;
        case 4:
          if (pick(4) == 0) input = RolloutClosed{id.rollout};
          break;
        default:
          break;
      }
      Tell(input);
      const State once = state_;
      Tell(input);
      ASSERT_EQ(state_, once) << "seed " << seed << " input " << i;
    }
    State replayed, condensed;
    replayed.host = condensed.host = state_.host;
    for (const Record& record : log_) Apply(replayed, record);
    for (const Record& record : Condense(state_)) Apply(condensed, record);
    ASSERT_EQ(replayed, state_) << "seed " << seed;
    ASSERT_EQ(condensed, state_) << "seed " << seed;
  }
}

}  // namespace
}  // namespace slipway::agent
