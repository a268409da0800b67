// PostgreSQL as journal when its server dies, freezes, fills up or cannot be reached: what was
// acknowledged is there, once and in order, and everything goes on by itself.

#include <atomic>
#include <random>
#include <thread>

#include "common/clock.h"
#include "controller/registry/postgres_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/postgres/postgres_server.h"
#include "tests/postgres/tcp_proxy.h"

namespace slipway::controller {
namespace {

using test::PostgresServer;
using test::TcpProxy;
using testing::HasSubstr;
using testing::SizeIs;

const RolloutId kRollout{"ro-1"};
// Larger than any other message on the way: a lease's renewal, a look-up.
const std::string kLarge(4000, 'x');
constexpr std::size_t kLargeRequest = 4000;
constexpr absl::Duration kPatience = absl::Seconds(60);

template <typename Holds>
bool Eventually(Holds holds) {
  const absl::Duration deadline = SystemClock().Monotonic() + kPatience;
  while (!holds()) {
    if (SystemClock().Monotonic() > deadline) return false;
    SystemClock().Sleep(absl::Milliseconds(10));
  }
  return true;
}

// Drives one rollout as the runner does: what the storage refuses is dropped, and the journal says
// where to go on. Event n is the text n.
class Writer {
 public:
  Writer(Store& store, RolloutId rollout)
      : journal_(store.journal()), rollout_(std::move(rollout)) {}

  void RunUntil(const std::atomic<bool>& stop) {
    while (!stop) {
      if (!TakeUp()) {
        SystemClock().Sleep(absl::Milliseconds(20));
        continue;
      }
      while (!stop && journal_.Append(rollout_, lease_, {std::to_string(lease_.next)}).ok()) {
        acknowledged_ = lease_.next - 1;
      }
    }
  }
  std::uint64_t acknowledged() const { return acknowledged_; }
  void Check() {
    const auto records = journal_.Read(rollout_, 1);
    ASSERT_TRUE(records.ok()) << records.status();
    EXPECT_GE(records->size(), acknowledged_);
    for (const Record& record : *records) {
      EXPECT_EQ(record.bytes, std::to_string(record.sequence)) << rollout_.text;
    }
  }

 private:
  bool TakeUp() {
    auto lease = journal_.Acquire(rollout_);
    if (!lease.ok()) {
      EXPECT_TRUE(absl::IsUnavailable(lease.status())) << lease.status();
      return false;
    }
    lease_ = *std::move(lease);
    return true;
  }

  Journal& journal_;
  const RolloutId rollout_;
  Lease lease_;
  std::atomic<std::uint64_t> acknowledged_ = 0;
};

class Writers {
 public:
  Writers(Store& store, int count) {
    for (int i = 0; i < count; ++i) {
      writers_.push_back(std::make_unique<Writer>(store, RolloutId{"ro-" + std::to_string(i)}));
      threads_.emplace_back([this, i] { writers_[static_cast<std::size_t>(i)]->RunUntil(stop_); });
    }
  }
  ~Writers() { Stop(); }
  void Stop() {
    stop_ = true;
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
  }
  // Until each has so many more acknowledged events than now.
  bool Progress(std::uint64_t more) {
    std::vector<std::uint64_t> goals;
    for (const auto& writer : writers_) goals.push_back(writer->acknowledged() + more);
    return Eventually([&] {
      for (std::size_t i = 0; i < goals.size(); ++i) {
        if (writers_[i]->acknowledged() < goals[i]) return false;
      }
      return true;
    });
  }
  void Check() {
    for (const auto& writer : writers_) writer->Check();
  }

 private:
  std::atomic<bool> stop_ = false;
  std::vector<std::unique_ptr<Writer>> writers_;
  std::vector<std::thread> threads_;
};

std::unique_ptr<PostgresStore> Open(PostgresOptions options) {
  auto store = PostgresStore::Open(std::move(options));
  EXPECT_TRUE(store.ok()) << store.status();
  return store.ok() ? *std::move(store) : nullptr;
}

TEST(PostgresFault, ServerKilledInTheMiddleOfAppendsLosesNothing) {
  PostgresServer server;
  const auto store = Open(server.Options(server.NewDatabase()));
  ASSERT_NE(store, nullptr);
  Writers writers(*store, 4);
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(writers.Progress(20)) << server.Log();
    server.Kill();
    server.Start();
  }
  ASSERT_TRUE(writers.Progress(20)) << server.Log();
  writers.Stop();
  writers.Check();
}

TEST(PostgresFault, FrozenServerPausesIsShownAndHealsByItself) {
  PostgresServer server;
  PostgresOptions options = server.Options(server.NewDatabase());
  options.limits.connect = absl::Seconds(4);
  options.limits.call = absl::Seconds(3);
  options.lease = absl::Seconds(3);
  const auto store = Open(options);
  ASSERT_NE(store, nullptr);
  Writers writers(*store, 4);
  ASSERT_TRUE(writers.Progress(10));
  EXPECT_EQ(store->Trouble(), "");
  server.Freeze();
  EXPECT_TRUE(Eventually([&] { return !store->Trouble().empty(); }));
  server.Thaw();
  ASSERT_TRUE(writers.Progress(10)) << server.Log();
  EXPECT_TRUE(Eventually([&] { return store->Trouble().empty(); })) << store->Trouble();
  writers.Stop();
  writers.Check();
}

TEST(PostgresFault, AbsentServerIsRefusedInTimeAtTheStart) {
  PostgresServer& server = PostgresServer::Shared();
  TcpProxy proxy(server.port());
  proxy.Close();
  PostgresOptions options = server.Options(server.NewDatabase(), proxy.port());
  options.patience = absl::Milliseconds(500);
  const auto refused = PostgresStore::Open(options);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(refused.status().message(), HasSubstr("cannot connect to PostgreSQL"));
}

// At each byte of the answer to an append, and behind it.
TEST(PostgresFault, CommitWhoseAnswerIsLostIsLookedUp) {
  PostgresServer& server = PostgresServer::Shared();
  TcpProxy proxy(server.port());
  const auto store = Open(server.Options(server.NewDatabase(), proxy.port()));
  ASSERT_NE(store, nullptr);
  Lease lease = *store->journal().Acquire(kRollout);
  std::size_t records = 0;
  for (std::size_t answer = 0; answer < 200; answer += answer < 8 ? 1 : 31) {
    SCOPED_TRACE(answer);
    proxy.CutAnswer(kLargeRequest, answer);
    const absl::Status status = store->journal().Append(kRollout, lease, {kLarge, "second"});
    ASSERT_TRUE(status.ok()) << status;
    records += 2;
    EXPECT_EQ(lease.next, records + 1);
  }
  EXPECT_THAT(*store->journal().Read(kRollout, 1), SizeIs(records));
}

TEST(PostgresFault, AppendThatNeverArrivedIsMadeOnce) {
  PostgresServer& server = PostgresServer::Shared();
  TcpProxy proxy(server.port());
  const auto store = Open(server.Options(server.NewDatabase(), proxy.port()));
  ASSERT_NE(store, nullptr);
  Lease lease = *store->journal().Acquire(kRollout);
  std::size_t records = 0;
  for (const std::size_t part : {0, 1, 5, 100, 2000, 3999}) {
    SCOPED_TRACE(part);
    proxy.CutRequest(kLargeRequest, part);
    const absl::Status status = store->journal().Append(kRollout, lease, {kLarge});
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_TRUE(proxy.HasCut());
    EXPECT_THAT(*store->journal().Read(kRollout, 1), SizeIs(++records));
  }
}

// Locks, request and first event are more than one statement; the cut goes through all their
// answers and that of the commit.
TEST(PostgresFault, RolloutWhoseBeginningIsInDoubtBeginsOnce) {
  PostgresServer& server = PostgresServer::Shared();
  TcpProxy proxy(server.port());
  const auto store = Open(server.Options(server.NewDatabase(), proxy.port()));
  ASSERT_NE(store, nullptr);
  std::size_t rollouts = 0;
  for (std::size_t answer = 0; answer < 600; answer += 13) {
    SCOPED_TRACE(answer);
    const std::string name = std::to_string(++rollouts);
    proxy.CutAnswer(kLargeRequest, answer);
    const auto lease = store->CreateRollout(
        {{"ro-" + name}, {{"web-" + name}}, "ada", "why", absl::UnixEpoch(), kLarge, std::nullopt});
    ASSERT_TRUE(lease.ok()) << lease.status();
    EXPECT_EQ(lease->next, 2u);
    EXPECT_THAT(*store->journal().Read({"ro-" + name}, 1), SizeIs(1));
  }
  EXPECT_THAT(*store->registry().ListLocks(), SizeIs(rollouts));
}

// Another transaction sits on the rollout's row: the server gives up in time, and says so.
TEST(PostgresFault, LockedTableIsNotWaitedForForEver) {
  PostgresServer& server = PostgresServer::Shared();
  const std::string database = server.NewDatabase();
  PostgresOptions options = server.Options(database);
  options.limits.lock = absl::Milliseconds(300);
  const auto store = Open(options);
  ASSERT_NE(store, nullptr);
  Lease lease = *store->journal().Acquire(kRollout);
  CallGuard guard(SystemClock());
  const auto url = server.Options(database).address;
  auto other = PostgresConnection::Open(url, {}, guard);
  ASSERT_TRUE(other.ok()) << other.status();
  ASSERT_TRUE((*other)->Execute("BEGIN; SELECT 1 FROM rollouts FOR UPDATE").ok());
  const absl::Status refused = store->journal().Append(kRollout, lease, {"first"});
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable) << refused;
  EXPECT_THAT(refused.message(), HasSubstr("lock timeout"));
  ASSERT_TRUE((*other)->Execute("ROLLBACK").ok());
  EXPECT_TRUE(store->journal().Append(kRollout, lease, {"first"}).ok());
  EXPECT_THAT(*store->journal().Read(kRollout, 1), SizeIs(1));
}

TEST(PostgresFault, FullDiskRefusesWholeAndHealsByItself) {
  PostgresServer server(64);
  const auto store = Open(server.Options(server.NewDatabase("small")));
  ASSERT_NE(store, nullptr);
  Lease lease = *store->journal().Acquire(kRollout);
  ASSERT_TRUE(store->journal().Append(kRollout, lease, {"first"}).ok());
  server.FillSmallDisk(256 << 10);
  // Nothing that could be compressed.
  std::mt19937 random(20'261'122);
  std::string noise(64 << 10, 'x');
  for (char& octet : noise) octet = static_cast<char>(random());

  std::size_t records = 1;
  absl::Status status;
  for (int i = 0; i < 100 && status.ok(); ++i) {
    const Lease before = lease;
    status = store->journal().Append(kRollout, lease, {noise});
    records += status.ok() ? 1 : 0;
    EXPECT_EQ(lease.next, before.next + (status.ok() ? 1 : 0));
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_THAT(status.message(), HasSubstr("free disk space"));
  EXPECT_THAT(*store->journal().Read(kRollout, 1), SizeIs(records));

  server.FillSmallDisk();
  ASSERT_TRUE(Eventually([&] { return store->journal().Append(kRollout, lease, {noise}).ok(); }));
  EXPECT_THAT(*store->journal().Read(kRollout, 1), SizeIs(records + 1));
}

}  // namespace
}  // namespace slipway::controller
