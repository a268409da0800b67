#include "controller/runner/runner_pool.h"

#include <atomic>
#include <thread>

#include "controller/journal/event_codec.h"
#include "controller/journal/flaky_journal.h"
#include "controller/registry/memory_store.h"
#include "controller/runner/test_fleet.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/conformance/store_backends.h"

namespace slipway::controller {
namespace {

using testing::Each;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

const RolloutId kRollout{"ro-1"};
constexpr int kHosts = 6;
constexpr absl::Duration kLimit = absl::Seconds(20);

// A store whose journal fails when a test says so.
class FlakyStore final : public Store {
 public:
  explicit FlakyStore(Store& beneath) : beneath_(beneath), journal_(beneath.journal()) {}
  FlakyJournal& journal() override { return journal_; }
  Registry& registry() override { return beneath_.registry(); }
  absl::StatusOr<Lease> CreateRollout(const NewRollout& rollout) override {
    return beneath_.CreateRollout(rollout);
  }

 private:
  Store& beneath_;
  FlakyJournal journal_;
};

// A pool over a real store, and hosts that answer on a thread of their own.
class RunnerPoolTest : public testing::TestWithParam<StoreBackend> {
 protected:
  void SetUp() override {
    home_ = GetParam().make();
    store_ = std::make_unique<FlakyStore>(*home_->Open());
    StartPool();
  }
  void TearDown() override { StopPool(); }

  void StartPool() {
    RunnerOptions options = options_;
    options.retry_least = absl::Milliseconds(5);
    pool_ = std::make_unique<RunnerPool>(*store_, SystemClock(), fleet_, "holder", options);
    const absl::Status recovered = pool_->Recover();
    ASSERT_TRUE(recovered.ok()) << recovered;
    running_ = true;
    agents_ = std::thread([this] {
      while (running_) {
        for (Answer& answer : fleet_.WaitForAnswers(absl::Milliseconds(20))) {
          const HostId host = answer.id.host;
          pool_->Answered(host, std::move(answer));
        }
      }
    });
  }
  void StopPool() {
    running_ = false;
    if (agents_.joinable()) agents_.join();
    pool_.reset();
  }
  void AttachAll() {
    for (int i = 0; i < kHosts; ++i) pool_->Attached(TestHost(i));
  }
  absl::Status Create(const RolloutId& id = kRollout) {
    NewRollout rollout;
    rollout.id = id;
    rollout.who = "ada";
    rollout.at = SystemClock().Now();
    return pool_->Create(std::move(rollout), TestPlan(kHosts, rollout.at));
  }
  bool Eventually(const std::function<bool()>& holds) {
    const absl::Duration end = SystemClock().Monotonic() + kLimit;
    while (!holds()) {
      if (SystemClock().Monotonic() > end) return false;
      SystemClock().Sleep(absl::Milliseconds(1));
    }
    return true;
  }
  bool Finishes() {
    return Eventually([this] {
      const auto all = pool_->List();
      return !all.empty() && std::all_of(all.begin(), all.end(), [](const RolloutSummary& summary) {
        return summary.finished.has_value();
      });
    });
  }
  void ExpectSuccess() {
    ASSERT_TRUE(Finishes());
    const auto view = pool_->View(kRollout);
    ASSERT_TRUE(view.ok()) << view.status();
    ASSERT_TRUE((*view)->state.finished.has_value());
    EXPECT_EQ((*view)->state.finished->result, engine::Result::succeeded);
    EXPECT_THAT(fleet_.effects(), SizeIs(kHosts * 3));
    EXPECT_THAT(fleet_.effects(), Each(Pair(testing::_, 1)));
  }
  absl::Status Steer(engine::Verb::Kind kind, std::vector<HostId> hosts = {}) {
    engine::Verb verb;
    verb.kind = kind;
    verb.who = "ada";
    verb.reason = "test";
    return pool_->Steer(kRollout, verb, std::move(hosts));
  }

  RunnerOptions options_;
  std::unique_ptr<StoreHome> home_;
  std::unique_ptr<FlakyStore> store_;
  TestFleet fleet_;
  std::unique_ptr<RunnerPool> pool_;
  std::atomic<bool> running_ = false;
  std::thread agents_;
};

TEST_P(RunnerPoolTest, RolloutRunsToItsEndAndFreesItsHosts) {
  AttachAll();
  ASSERT_TRUE(Create().ok());
  ExpectSuccess();
  EXPECT_THAT(*store_->registry().ListLocks(), IsEmpty());
  const auto wanted = store_->registry().ListWanted();
  ASSERT_THAT(*wanted, SizeIs(kHosts));
  EXPECT_EQ(wanted->front(), (Wanted{TestHost(0), kApp, kNew, "2.0", kRollout}));
  EXPECT_TRUE(Eventually([this] { return fleet_.closed().size() == kHosts; }));
  EXPECT_EQ(Steer(engine::Verb::Kind::pause).code(), absl::StatusCode::kFailedPrecondition);
}

TEST_P(RunnerPoolTest, HostsThatAttachLaterAreServed) {
  ASSERT_TRUE(Create().ok());
  AttachAll();
  ExpectSuccess();
}

TEST_P(RunnerPoolTest, HostsAreLockedUntilTheEnd) {
  ASSERT_TRUE(Create().ok());
  EXPECT_EQ(Create({"ro-2"}).code(), absl::StatusCode::kFailedPrecondition);
  AttachAll();
  ASSERT_TRUE(Finishes());
  EXPECT_TRUE(Create({"ro-2"}).ok());
  const auto all = pool_->List();
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all[0].id.text, "ro-2");
  EXPECT_EQ(all[1].description, "media 2.0");
}

TEST_P(RunnerPoolTest, NextPoolGoesOnWhereTheLastStopped) {
  AttachAll();
  ASSERT_TRUE(Create().ok());
  for (int restarts = 0; restarts < 4; ++restarts) {
    StopPool();
    StartPool();
    AttachAll();
    (void)pool_->View(kRollout);
  }
  ExpectSuccess();
  EXPECT_THAT(*store_->registry().ListLocks(), IsEmpty());
}

TEST_P(RunnerPoolTest, LocksOfAnEndedRolloutAreFreedAtTheNextStart) {
  AttachAll();
  ASSERT_TRUE(Create().ok());
  ASSERT_TRUE(Finishes());
  StopPool();
  NewRollout left;
  left.id = {"ro-left"};
  left.hosts = {TestHost(0)};
  left.first_record = EncodeEvent(TestPlan(1, SystemClock().Now()));
  Lease lease = *store_->CreateRollout(left);
  const engine::Finished end{SystemClock().Now(), engine::Result::aborted, "as it was"};
  ASSERT_TRUE(store_->journal().Append(left.id, lease, {EncodeEvent(end)}).ok());
  StartPool();
  EXPECT_THAT(*store_->registry().ListLocks(), IsEmpty());
}

TEST_P(RunnerPoolTest, FullDiskShowsAndHealsByItself) {
  AttachAll();
  store_->journal().FailAppend(2, absl::ResourceExhaustedError("disk full"),
                               FlakyJournal::Fault::refused, true);
  ASSERT_TRUE(Create().ok());
  EXPECT_TRUE(Eventually([this] { return pool_->Degraded() == "storage: disk full"; }));
  EXPECT_TRUE(Eventually([this] { return !(*pool_->View(kRollout))->trouble.empty(); }));
  const absl::StatusCode refused = Steer(engine::Verb::Kind::pause).code();
  EXPECT_TRUE(refused == absl::StatusCode::kUnavailable ||
              refused == absl::StatusCode::kResourceExhausted);
  store_->journal().Heal();
  ExpectSuccess();
  EXPECT_EQ(pool_->Degraded(), "");
  EXPECT_EQ((*pool_->View(kRollout))->trouble, "");
}

TEST_P(RunnerPoolTest, AppendInDoubtIsReplayed) {
  AttachAll();
  store_->journal().FailAppend(3, absl::UnavailableError("cut"), FlakyJournal::Fault::in_doubt);
  ASSERT_TRUE(Create().ok());
  ExpectSuccess();
  EXPECT_GT((*pool_->View(kRollout))->epoch, 1u);
}

TEST_P(RunnerPoolTest, RolloutThatAnotherDrivesIsLeftAlone) {
  ASSERT_TRUE(Create().ok());
  ASSERT_TRUE(Eventually([this] { return (*pool_->View(kRollout))->sequence > 1; }));
  ASSERT_TRUE(store_->journal().Acquire(kRollout).ok());
  const absl::Status first = Steer(engine::Verb::Kind::pause);
  EXPECT_EQ(first.code(), absl::StatusCode::kFailedPrecondition) << first;
  ASSERT_TRUE(Eventually([this] { return !(*pool_->View(kRollout))->trouble.empty(); }));
  EXPECT_THAT((*pool_->View(kRollout))->trouble, HasSubstr("another holder drives it"));
  AttachAll();
  EXPECT_EQ(Steer(engine::Verb::Kind::pause).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(fleet_.sent(), 0);
}

TEST_P(RunnerPoolTest, VerbIsSeenByWhoeverLooksNext) {
  ASSERT_TRUE(Create().ok());
  ASSERT_TRUE(Steer(engine::Verb::Kind::pause).ok());
  EXPECT_EQ((*pool_->View(kRollout))->state.hold.why, engine::Hold::Why::paused);
  EXPECT_EQ(Steer(engine::Verb::Kind::pause).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Steer(engine::Verb::Kind::retry, {{"db-9"}}).code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(Steer(engine::Verb::Kind::resume).ok());
  AttachAll();
  ExpectSuccess();
}

TEST_P(RunnerPoolTest, UnknownRolloutIsNotFound) {
  EXPECT_EQ(Steer(engine::Verb::Kind::pause).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(pool_->View(kRollout).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(pool_->Subscribe(kRollout, 1).status().code(), absl::StatusCode::kNotFound);
}

TEST_P(RunnerPoolTest, WatcherSeesEveryEventOnceAndTheEnd) {
  ASSERT_TRUE(Create().ok());
  auto watch = *pool_->Subscribe(kRollout, 1);
  AttachAll();
  std::vector<engine::Event> seen;
  const absl::Duration end = SystemClock().Monotonic() + kLimit;
  while (!watch->over() && SystemClock().Monotonic() < end) {
    const auto event = watch->Next(absl::Milliseconds(50));
    ASSERT_TRUE(event.ok()) << event.status();
    if (!event->has_value()) continue;
    EXPECT_EQ((*event)->sequence, seen.size() + 1);
    seen.push_back(*(*event)->event);
  }
  const auto records = *store_->journal().Read(kRollout, 1);
  ASSERT_EQ(seen.size(), records.size());
  for (std::size_t i = 0; i < seen.size(); ++i) {
    EXPECT_EQ(EncodeEvent(seen[i]), records[i].bytes);
  }
  // The same of a rollout that is over, and from the middle.
  auto later = *pool_->Subscribe(kRollout, 3);
  EXPECT_EQ((**later->Next(absl::ZeroDuration())).sequence, 3u);
}

TEST_P(RunnerPoolTest, SlowWatcherIsSentBackToTheJournal) {
  StopPool();
  options_.feed_limit = 2;
  StartPool();
  ASSERT_TRUE(Create().ok());
  ASSERT_TRUE(Eventually([this] { return (*pool_->View(kRollout))->sequence > 1; }));
  auto slow = *pool_->Subscribe(kRollout, 1);
  AttachAll();
  ASSERT_TRUE(Finishes());
  std::uint64_t last = 0;
  absl::Status status;
  while (status.ok() && !slow->over()) {
    const auto event = slow->Next(absl::Milliseconds(1));
    status = event.status();
    if (event.ok() && event->has_value()) last = (*event)->sequence;
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange);
  auto again = *pool_->Subscribe(kRollout, last + 1);
  EXPECT_EQ((**again->Next(absl::ZeroDuration())).sequence, last + 1);
}

TEST_P(RunnerPoolTest, AnswerInAnothersNameIsDropped) {
  ASSERT_TRUE(Create().ok());
  Answer forged;
  forged.id = {kRollout, Course::forward, 0, 0, TestHost(0), 1};
  forged.verdict = Verdict::succeeded;
  pool_->Answered(TestHost(1), forged);
  ASSERT_TRUE(Steer(engine::Verb::Kind::pause).ok());
  EXPECT_THAT((*pool_->View(kRollout))->state.tasks,
              testing::Not(testing::Contains(testing::Pair(
                  testing::_,
                  testing::Field(&engine::Task::outcome, testing::Optional(Outcome::succeeded))))));
  EXPECT_THAT(fleet_.acknowledged(), IsEmpty());
}

TEST_P(RunnerPoolTest, LateAnswerOfAnEndedRolloutIsAcknowledged) {
  AttachAll();
  ASSERT_TRUE(Create().ok());
  ASSERT_TRUE(Finishes());
  Answer late;
  late.id = {kRollout, Course::backward, 0, 0, TestHost(0), 1};
  pool_->Answered(TestHost(0), late);
  EXPECT_TRUE(Eventually([&] { return fleet_.acknowledged().contains(ToString(late.id)); }));
}

// The same, in the moment in which the worker goes home.
TEST_P(RunnerPoolTest, AnswerThatComesWhileTheRolloutEndsIsAcknowledged) {
  NewRollout rollout;
  rollout.id = RolloutId{"ro-2"};
  rollout.who = "ada";
  rollout.at = SystemClock().Now();
  rollout.first_record = EncodeEvent(TestPlan(kHosts, WholeMicroseconds(rollout.at)));
  ASSERT_TRUE(store_->CreateRollout(rollout).ok());
  TestFleet fleet;
  const WorkerHouse house{*store_, SystemClock(), fleet, "holder", {}};
  Answer late;
  late.id = {rollout.id, Course::backward, 0, 0, TestHost(0), 1};
  std::atomic<bool> over = false;
  RolloutWorker* ending = nullptr;
  RolloutWorker worker(house, rollout.id, nullptr,
                       {[](RolloutWorker& self) {
                          for (int i = 0; i < kHosts; ++i) {
                            self.inbox().SetPresence(TestHost(i), true);
                          }
                        },
                        [&](const RolloutView&) {
                          EXPECT_TRUE(ending->inbox().Push(late));
                          over = true;
                        }});
  ending = &worker;
  worker.Start();
  ASSERT_TRUE(Eventually([&] {
    for (Answer& answer : fleet.TakeAnswers()) {
      EXPECT_TRUE(worker.inbox().Push(std::move(answer)));
    }
    return over.load();
  }));
  EXPECT_TRUE(Eventually([&] { return fleet.acknowledged().contains(ToString(late.id)); }));
}

TEST_P(RunnerPoolTest, AgentThatRemembersWhatTheJournalDoesNotHaltsTheRollout) {
  ASSERT_TRUE(Create().ok());
  ASSERT_TRUE(Eventually([this] { return (*pool_->View(kRollout))->sequence > 1; }));
  const Record second = (*store_->journal().Read(kRollout, 1))[1];
  EXPECT_TRUE(pool_->Remembers(TestHost(0), kRollout, {1, "holder", 2, second.head}).ok());
  EXPECT_EQ(pool_->Remembers(TestHost(0), {"ro-9"}, {1, "holder", 2, second.head}).code(),
            absl::StatusCode::kDataLoss);
  const Fence ahead{1, "holder", 40, second.head};
  EXPECT_EQ(pool_->Remembers(TestHost(0), kRollout, ahead).code(), absl::StatusCode::kDataLoss);
  AttachAll();
  EXPECT_EQ(Steer(engine::Verb::Kind::pause).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT((*pool_->View(kRollout))->trouble, HasSubstr("history went back"));
}

TEST_P(RunnerPoolTest, BrokenHostTurnsTheFleetBack) {
  fleet_.Break(TestHost(3), "check");
  AttachAll();
  ASSERT_TRUE(Create().ok());
  ASSERT_TRUE(Finishes());
  EXPECT_EQ((*pool_->View(kRollout))->state.finished->result, engine::Result::rolled_back);
  const auto wanted = store_->registry().ListWanted();
  for (const Wanted& entry : *wanted) EXPECT_EQ(entry.digest, kOld);
}

INSTANTIATE_TEST_SUITE_P(Stores, RunnerPoolTest, testing::ValuesIn(StoreBackends()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace slipway::controller
