#include "controller/runner/rollout_runner.h"

#include "controller/journal/event_codec.h"
#include "controller/journal/flaky_journal.h"
#include "controller/journal/memory_journal.h"
#include "controller/runner/test_fleet.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "slipway/v1/action.pb.h"

namespace slipway::controller {
namespace {

using testing::Each;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

const RolloutId kRollout{"ro-1"};
const absl::Time kBegin = absl::FromUnixSeconds(1'700'000'000);
constexpr int kHosts = 4;

// One rollout, driven by hand, with hosts that answer at once.
class RolloutRunnerTest : public testing::Test {
 protected:
  absl::Status Open() {
    auto runner =
        RolloutRunner::Open(kRollout, "holder", TestPlan(kHosts, kBegin), journal_, fleet_);
    if (!runner.ok()) return runner.status();
    runner_ = *std::move(runner);
    return absl::OkStatus();
  }
  absl::Status Recover() {
    auto runner = RolloutRunner::Recover(kRollout, "holder", journal_, fleet_);
    if (!runner.ok()) return runner.status();
    runner_ = *std::move(runner);
    return absl::OkStatus();
  }
  absl::Status Pump(const std::vector<engine::Input>& inputs) {
    std::vector<absl::Status> verdicts;
    return runner_->Pump(inputs, verdicts);
  }
  absl::Time Now() { return now_ += absl::Milliseconds(10); }
  absl::Status AttachAll() {
    std::vector<engine::Input> inputs;
    for (engine::HostIx host = 0; host < kHosts; ++host) {
      inputs.push_back(engine::Attached{Now(), host});
    }
    return Pump(inputs);
  }
  // All answers that wait and a tick.
  absl::Status Turn() {
    std::vector<engine::Input> inputs;
    for (const Answer& answer : fleet_.TakeAnswers()) {
      inputs.push_back(engine::Reported{
          Now(),
          {answer.id.course, answer.id.batch, answer.id.step, *runner_->Find(answer.id.host)},
          answer.id.attempt,
          answer.verdict,
          answer.message,
          answer.excerpt,
          answer.observed});
    }
    inputs.push_back(engine::Tick{now_ += absl::Seconds(1)});
    return Pump(inputs);
  }
  // To the end, or to the first refused append.
  absl::Status RunOn() {
    absl::Status status = AttachAll();
    for (int turns = 0; status.ok() && !runner_->state().finished && turns < 200; ++turns) {
      status = Turn();
      ExpectReplayEqualsLive(status);
    }
    return status;
  }
  void ExpectReplayEqualsLive(const absl::Status& pumped) {
    if (!pumped.ok()) return;
    const auto replayed = ReplayRecords(kRollout, *journal_.Read(kRollout, 1));
    ASSERT_TRUE(replayed.ok()) << replayed.status();
    EXPECT_TRUE(*replayed == runner_->state());
  }
  void ExpectSuccess() {
    ASSERT_TRUE(runner_->state().finished.has_value());
    EXPECT_EQ(runner_->state().finished->result, engine::Result::succeeded);
    EXPECT_THAT(fleet_.effects(), SizeIs(kHosts * 3));
    EXPECT_THAT(fleet_.effects(), Each(Pair(testing::_, 1)));
    EXPECT_THAT(fleet_.closed(), SizeIs(kHosts));
  }

  MemoryJournal memory_;
  FlakyJournal journal_{memory_};
  TestFleet fleet_;
  absl::Time now_ = kBegin;
  std::unique_ptr<RolloutRunner> runner_;
};

TEST_F(RolloutRunnerTest, RunsToItsEndAndReplaysEqual) {
  ASSERT_TRUE(Open().ok());
  ASSERT_TRUE(RunOn().ok());
  ExpectSuccess();
}

TEST_F(RolloutRunnerTest, BrokenHostTurnsTheFleetBack) {
  fleet_.Break(TestHost(2), "check");
  ASSERT_TRUE(Open().ok());
  ASSERT_TRUE(RunOn().ok());
  ASSERT_TRUE(runner_->state().finished.has_value());
  EXPECT_EQ(runner_->state().finished->result, engine::Result::rolled_back)
      << runner_->state().finished->text;
}

// A runner whose append was refused is dropped; the next one brings the rollout to its end, with
// one effect for each command.
class EveryAppend : public RolloutRunnerTest,
                    public testing::WithParamInterface<FlakyJournal::Fault> {};

TEST_P(EveryAppend, MayBeRefusedOnce) {
  constexpr int kAppends = 40;  // more than the rollout needs
  int refused = 0;
  for (int n = 2; n <= kAppends; ++n) {
    SCOPED_TRACE(testing::Message() << "append " << n);
    struct One : RolloutRunnerTest {
      using RolloutRunnerTest::ExpectSuccess, RolloutRunnerTest::journal_, RolloutRunnerTest::Open,
          RolloutRunnerTest::Recover, RolloutRunnerTest::RunOn;
      void TestBody() override {}
    } one;
    ASSERT_TRUE(one.Open().ok());
    one.journal_.FailAppend(n - 1, absl::UnavailableError("planted"), GetParam());
    absl::Status status = one.RunOn();
    if (!status.ok()) {
      ++refused;
      ASSERT_TRUE(one.Recover().ok());
      status = one.RunOn();
    }
    ASSERT_TRUE(status.ok()) << status;
    one.ExpectSuccess();
  }
  EXPECT_GT(refused, 5);
}

INSTANTIATE_TEST_SUITE_P(Faults, EveryAppend,
                         testing::Values(FlakyJournal::Fault::refused,
                                         FlakyJournal::Fault::in_doubt));

TEST_F(RolloutRunnerTest, RefusedAppendSendsNothing) {
  ASSERT_TRUE(Open().ok());
  journal_.FailAppend(1, absl::ResourceExhaustedError("disk full"));
  EXPECT_EQ(AttachAll().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(fleet_.sent(), 0);
  ASSERT_TRUE(Recover().ok());
  EXPECT_EQ(fleet_.sent(), 0);
  ASSERT_TRUE(RunOn().ok());
  ExpectSuccess();
}

TEST_F(RolloutRunnerTest, OpenTasksAreSentAgainToWhoeverAttaches) {
  ASSERT_TRUE(Open().ok());
  ASSERT_TRUE(AttachAll().ok());
  ASSERT_TRUE(Turn().ok());
  ASSERT_FALSE(runner_->state().open.empty());
  const std::size_t open = runner_->state().open.size();
  ASSERT_TRUE(Recover().ok());
  const int sent = fleet_.sent();
  ASSERT_TRUE(AttachAll().ok());
  EXPECT_EQ(fleet_.sent(), sent + static_cast<int>(open));
  EXPECT_THAT(fleet_.effects(), Each(Pair(testing::_, 1)));
}

TEST_F(RolloutRunnerTest, AnswersAreAcknowledgedAsOftenAsTheyCome) {
  ASSERT_TRUE(Open().ok());
  ASSERT_TRUE(AttachAll().ok());
  ASSERT_TRUE(Turn().ok());
  const std::vector<Answer> answers = fleet_.TakeAnswers();
  ASSERT_THAT(answers, testing::Not(IsEmpty()));
  const Answer& answer = answers.front();
  const engine::Reported report{
      Now(),
      {answer.id.course, answer.id.batch, answer.id.step, *runner_->Find(answer.id.host)},
      answer.id.attempt,
      answer.verdict,
      "",
      "",
      answer.observed};
  ASSERT_TRUE(Pump({report, report}).ok());
  EXPECT_TRUE(fleet_.acknowledged().contains(ToString(answer.id)));
  const std::uint64_t next = runner_->lease().next;
  ASSERT_TRUE(Pump({report}).ok());
  EXPECT_EQ(runner_->lease().next, next);
}

TEST_F(RolloutRunnerTest, AnswerThatThisHistoryCannotHaveIsKeptByItsAgent) {
  ASSERT_TRUE(Open().ok());
  ASSERT_TRUE(AttachAll().ok());
  ASSERT_TRUE(Turn().ok());
  const engine::TaskId open = *runner_->state().open.begin();
  const std::set<std::string> acknowledged = fleet_.acknowledged();
  ASSERT_TRUE(Pump({engine::Reported{Now(), open, 9, Verdict::succeeded, "", "", {}}}).ok());
  ASSERT_TRUE(Pump({engine::Reported{
                       Now(), {Course::backward, 3, 0, 0}, 1, Verdict::succeeded, "", "", {}}})
                  .ok());
  EXPECT_EQ(fleet_.acknowledged(), acknowledged);
}

TEST_F(RolloutRunnerTest, WhoeverLostTheLeaseSendsNothing) {
  ASSERT_TRUE(Open().ok());
  std::unique_ptr<RolloutRunner> old = std::move(runner_);
  ASSERT_TRUE(Recover().ok());
  std::vector<absl::Status> verdicts;
  std::vector<engine::Input> inputs;
  for (engine::HostIx host = 0; host < kHosts; ++host) {
    inputs.push_back(engine::Attached{Now(), host});
  }
  inputs.push_back(engine::Tick{Now()});
  EXPECT_EQ(old->Pump(inputs, verdicts).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(fleet_.sent(), 0);
  ASSERT_TRUE(RunOn().ok());
  ExpectSuccess();
}

TEST_F(RolloutRunnerTest, CommandsCarryWhatTheHostNeeds) {
  class Keep final : public Outbound {
   public:
    void Send(const HostId&, Command command) override { commands.push_back(std::move(command)); }
    void Acknowledge(const HostId&, const CommandId&) override {}
    void Closed(const HostId&, const RolloutId&) override {}
    std::vector<Command> commands;
  } keep;
  auto runner = *RolloutRunner::Open(kRollout, "me", TestPlan(kHosts, kBegin), journal_, keep);
  std::vector<absl::Status> verdicts;
  std::vector<engine::Input> inputs = {engine::Tick{kBegin}};
  for (engine::HostIx host = 0; host < kHosts; ++host) {
    inputs.push_back(engine::Attached{kBegin, host});
  }
  ASSERT_TRUE(runner->Pump(inputs, verdicts).ok());
  ASSERT_THAT(keep.commands, SizeIs(1));
  const Command& command = keep.commands[0];
  EXPECT_EQ(command.payload, "stage");
  EXPECT_EQ(command.vars, "port=80");
  EXPECT_EQ(command.previous, kOld);
  EXPECT_EQ(command.fence.epoch, 1u);
  EXPECT_EQ(command.fence.holder, "me");
  const auto records = *journal_.Read(kRollout, 1);
  EXPECT_EQ(command.fence.sequence, records.back().sequence);
  EXPECT_EQ(command.fence.head, records.back().head);
}

// Whatever is sent is in the journal at that moment.
TEST_F(RolloutRunnerTest, NothingIsSentBeforeItIsDurable) {
  class Check final : public Outbound {
   public:
    Check(Journal& journal, TestFleet& fleet) : journal_(journal), fleet_(fleet) {}
    void Send(const HostId& host, Command command) override {
      bool issued = false;
      const auto records = journal_.Read(kRollout, 1);
      for (const Record& record : *records) {
        const engine::Event event = *DecodeEvent(record.bytes);
        const auto* e = std::get_if<engine::TaskIssued>(&event);
        issued |= e != nullptr && e->task.course == command.id.course &&
                  e->task.batch == command.id.batch && e->task.step == command.id.step &&
                  TestHost(static_cast<int>(e->task.host)) == host &&
                  e->attempt == command.id.attempt;
      }
      EXPECT_TRUE(issued) << ToString(command.id);
      fleet_.Send(host, std::move(command));
    }
    void Acknowledge(const HostId& host, const CommandId& id) override {
      fleet_.Acknowledge(host, id);
    }
    void Closed(const HostId& host, const RolloutId& id) override { fleet_.Closed(host, id); }

   private:
    Journal& journal_;
    TestFleet& fleet_;
  } check(journal_, fleet_);
  runner_ = *RolloutRunner::Open(kRollout, "me", TestPlan(kHosts, kBegin), journal_, check);
  ASSERT_TRUE(RunOn().ok());
  ExpectSuccess();
}

TEST_F(RolloutRunnerTest, RolloutOpensOnce) {
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(Open().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(RolloutRunner::Recover({"ro-2"}, "h", journal_, fleet_).status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(RolloutRunnerTest, UnreadableRecordIsNamed) {
  ASSERT_TRUE(Open().ok());
  Lease lease = *journal_.Acquire(kRollout);
  ASSERT_TRUE(journal_.Append(kRollout, lease, {std::string("\x08\x07", 2)}).ok());
  const absl::Status status = Recover();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(status.message(), HasSubstr("rollout ro-1, record 2: "));
  EXPECT_THAT(status.message(), HasSubstr("format 7"));
}

TEST_F(RolloutRunnerTest, RefusedVerbHasItsVerdictAndChangesNothing) {
  ASSERT_TRUE(Open().ok());
  ASSERT_TRUE(AttachAll().ok());
  engine::Verb resume;
  resume.kind = engine::Verb::Kind::resume;
  resume.now = Now();
  std::vector<absl::Status> verdicts;
  const std::uint64_t next = runner_->lease().next;
  ASSERT_TRUE(runner_->Pump({resume}, verdicts).ok());
  ASSERT_THAT(verdicts, SizeIs(1));
  EXPECT_EQ(verdicts[0].code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(runner_->lease().next, next);
}

TEST(PreviousRelease, IsThatOfTheDirectoryOnTheHost) {
  v1::HostVars vars;
  (*vars.mutable_vars())["root"] = "/srv/h1";
  engine::State state;
  state.hosts.push_back({HostId{"web-1"}, vars.SerializeAsString(), {}});
  state.before[0]["/srv/h1/media"].on_disk = "sha256:old";
  engine::Step step;
  step.app = "{{root}}/media";
  EXPECT_EQ(PreviousRelease(state, 0, step), "sha256:old");
  step.app = "/srv/h1/media";
  EXPECT_EQ(PreviousRelease(state, 0, step), "sha256:old");
  step.app = "{{nothing}}/media";
  EXPECT_EQ(PreviousRelease(state, 0, step), "");
  step.app = "";
  EXPECT_EQ(PreviousRelease(state, 0, step), "") << "a step about no application";
}

}  // namespace
}  // namespace slipway::controller
