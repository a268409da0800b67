// What the PostgreSQL store owes besides the conformance suite: who may what, whom it trusts, who
// drives it, what it refuses, and how a history gets into it.

#include "controller/registry/postgres_store.h"

#include <sys/stat.h>

#include <filesystem>
#include <thread>

#include "common/clock.h"
#include "common/tls/pem_file.h"
#include "controller/journal/postgres_schema.h"
#include "controller/journal/postgres_url.h"
#include "controller/registry/move_store.h"
#include "controller/registry/sqlite_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/postgres/postgres_server.h"
#include "tests/postgres/tcp_proxy.h"

namespace slipway::controller {
namespace {

namespace fs = std::filesystem;
using test::PostgresServer;
using test::TcpProxy;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

const RolloutId kRollout{"ro-1"};

class PostgresTest : public testing::Test {
 protected:
  ~PostgresTest() override {
    store_.reset();
    server_.DropDatabase(database_);
  }

  absl::Status Open(PostgresOptions options) {
    store_.reset();
    auto store = PostgresStore::Open(std::move(options));
    if (!store.ok()) return store.status();
    store_ = *std::move(store);
    return absl::OkStatus();
  }
  absl::Status Open() { return Open(Impatient()); }
  // A server that is there answers at once or never will.
  PostgresOptions Impatient(int port = 0) const {
    PostgresOptions options = server_.Options(database_, port);
    options.patience = absl::ZeroDuration();
    return options;
  }
  // With another URL than the usual one.
  absl::Status OpenAt(const std::string& url) {
    const auto parsed = ParsePostgresUrl(url);
    if (!parsed.ok()) return parsed.status();
    PostgresOptions options = Impatient();
    options.address.conninfo = parsed->conninfo;
    return Open(std::move(options));
  }
  absl::Status As(const std::string& role, const std::string& sql) {
    return server_.Run(role, database_, sql).status();
  }
  // A rollout with four events.
  Lease Begin() {
    EXPECT_TRUE(Open().ok());
    Lease lease = *store_->journal().Acquire(kRollout);
    EXPECT_TRUE(store_->journal().Append(kRollout, lease, {"a", "b", "c", "d"}).ok());
    return lease;
  }

  PostgresServer& server_ = PostgresServer::Shared();
  const std::string database_ = server_.NewDatabase();
  std::unique_ptr<PostgresStore> store_;
};

// --- Privileges ---

TEST_F(PostgresTest, ServiceMayReadAndAddEventsAndNothingElse) {
  Begin();
  EXPECT_TRUE(As("slipway", "SELECT * FROM events").ok());
  EXPECT_TRUE(As("slipway", "INSERT INTO events VALUES (9, 1, 1, '', '')").ok());
  for (const char* const forbidden :
       {"UPDATE events SET epoch = 7", "DELETE FROM events", "TRUNCATE events", "DROP TABLE events",
        "ALTER TABLE events DROP COLUMN head", "DELETE FROM rollouts",
        "UPDATE rollouts SET id = 'ro-2'", "UPDATE schema_migrations SET sha256 = ''",
        "INSERT INTO schema_migrations VALUES (2, '')", "DELETE FROM lease",
        "UPDATE releases SET digest = ''", "CREATE TABLE mine (x int)"}) {
    const absl::Status refused = As("slipway", forbidden);
    EXPECT_TRUE(absl::IsPermissionDenied(refused)) << forbidden << ": " << refused;
  }
}

TEST_F(PostgresTest, ControllerRefusesToRunAsTheOwner) {
  const absl::Status refused = OpenAt(server_.Url("slipway_owner", database_));
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(refused.message(), HasSubstr("slipway_owner may change events"));
}

TEST_F(PostgresTest, RoleThatWasNotLetInIsToldHow) {
  ASSERT_TRUE(As("postgres", "REVOKE ALL ON schema_migrations FROM slipway").ok());
  const absl::Status refused = Open();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition) << refused;
  EXPECT_THAT(refused.message(), HasSubstr("prepare-store"));
}

// --- TLS and passwords ---

TEST_F(PostgresTest, SessionsAreEncryptedUnlessTheUrlSaysOtherwise) {
  const std::string sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
  EXPECT_EQ(server_.Run("slipway", database_, sql)->At(0, 0), "t");
  const auto plain = ParsePostgresUrl(server_.Url("slipway", database_, "&sslmode=disable"));
  EXPECT_THAT(plain->warning, HasSubstr("sslmode=disable"));
  EXPECT_EQ(ParsePostgresUrl(server_.Url("slipway", database_))->warning, "");
  EXPECT_TRUE(OpenAt(server_.Url("slipway", database_, "&sslmode=disable")).ok());
}

TEST_F(PostgresTest, ServerWithAnotherNameIsNotTrusted) {
  std::string url = server_.Url("slipway", database_);
  url.replace(url.find("@localhost"), 10, "@db.example");
  const absl::Status refused = OpenAt(url);
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(refused.message(), HasSubstr("does not match host name \"db.example\""));
}

TEST_F(PostgresTest, ServerWithAnotherAuthorityIsNotTrusted) {
  const std::string other = testing::TempDir() + "/slipway-other-authority";
  ASSERT_EQ(test::RunProgram({"/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                              "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost",
                              "-keyout", other + ".key", "-out", other + ".crt"},
                             other + ".log"),
            0);
  std::string url = server_.Url("slipway", database_);
  const std::string own = server_.dir() + "/server.crt";
  url.replace(url.find(own), own.size(), other + ".crt");
  EXPECT_THAT(OpenAt(url).message(), HasSubstr("certificate verify failed"));
  // Without any authority there is nothing to trust.
  url.replace(url.find(other), other.size(), server_.dir() + "/missing");
  EXPECT_THAT(OpenAt(url).message(), HasSubstr("root certificate file"));
}

TEST_F(PostgresTest, PasswordInTheUrlIsRefusedAndNotRepeated) {
  for (const char* const url : {"postgresql://slipway:hunter2@db/slipway",
                                "postgresql://slipway@db/slipway?password=hunter2",
                                "postgresql://slipway:hunter2@db:port/slipway"}) {
    const auto refused = ParsePostgresUrl(url);
    EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument) << url;
    EXPECT_THAT(refused.status().message(), Not(HasSubstr("hunter2")));
  }
}

TEST_F(PostgresTest, PasswordComesFromAFileOfItsOwn) {
  std::string url = server_.Url("slipway", database_);
  url.resize(url.find("&passfile="));
  PostgresOptions options = Impatient();
  options.address.conninfo = ParsePostgresUrl(url + "&passfile=/dev/null")->conninfo;
  EXPECT_THAT(Open(options).message(), HasSubstr("no password supplied"));

  options.address.password_file = testing::TempDir() + "/slipway-store-password";
  ASSERT_TRUE(tls::WriteFile(options.address.password_file, "not a secret\n", tls::kPrivate).ok());
  EXPECT_TRUE(Open(options).ok());
  ASSERT_EQ(::chmod(options.address.password_file.c_str(), 0644), 0);
  EXPECT_EQ(Open(options).code(), absl::StatusCode::kPermissionDenied);
  ASSERT_EQ(::chmod(options.address.password_file.c_str(), 0600), 0);
  ASSERT_TRUE(tls::WriteFile(options.address.password_file, "hunter2", tls::kPrivate).ok());
  EXPECT_THAT(Open(options).message(),
              AllOf(HasSubstr("password authentication failed"), Not(HasSubstr("hunter2"))));
}

// --- Who drives the store ---

TEST_F(PostgresTest, SecondControllerIsToldWhoDrivesTheStore) {
  ASSERT_TRUE(Open().ok());
  const auto second = PostgresStore::Open(Impatient());
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(second.status().message(),
              HasSubstr("process " + std::to_string(::getpid()) + " on "));
  store_.reset();
  EXPECT_TRUE(Open().ok()) << "given back at the end";
}

TEST_F(PostgresTest, HolderThatCannotRenewIsOvertakenAndWritesNothingMore) {
  TcpProxy proxy(server_.port());
  std::atomic<int> ends = 0;
  PostgresOptions options = Impatient(proxy.port());
  options.lease = absl::Seconds(1);
  options.on_lost_lease = [&ends](const absl::Status&) { ++ends; };
  auto first = PostgresStore::Open(options);
  ASSERT_TRUE(first.ok()) << first.status();
  Lease old = *(*first)->journal().Acquire(kRollout);
  ASSERT_TRUE((*first)->journal().Append(kRollout, old, {"a"}).ok());

  proxy.Close();
  PostgresOptions stand_in = server_.Options(database_);  // waits until the lease is over
  ASSERT_TRUE(Open(stand_in).ok());
  proxy.Open();
  // Whoever notices first: the renewal, or the transaction itself.
  for (int i = 0; i < 100 && ends == 0; ++i) {
    EXPECT_FALSE((*first)->journal().Append(kRollout, old, {"late"}).ok());
    EXPECT_FALSE((*first)->registry().ReleaseLocks(kRollout).ok());
    EXPECT_FALSE(
        (*first)->CreateRollout({{"ro-2"}, {{"web-1"}}, "", "", absl::UnixEpoch(), "", {}}).ok());
    SystemClock().Sleep(absl::Milliseconds(100));
  }
  EXPECT_EQ(ends, 1);
  const absl::Status refused = (*first)->journal().Append(kRollout, old, {"late"});
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition) << refused;
  EXPECT_THAT(*store_->journal().Read(kRollout, 1), SizeIs(1));
  EXPECT_THAT(*store_->journal().List(), SizeIs(1));
  Lease now = *store_->journal().Acquire(kRollout);
  EXPECT_TRUE(store_->journal().Append(kRollout, now, {"b"}).ok());
}

// --- Migrations ---

TEST_F(PostgresTest, ChangedMigrationIsRefused) {
  ASSERT_TRUE(As("postgres", "UPDATE schema_migrations SET sha256 = repeat('0', 64)").ok());
  const absl::Status refused = Open();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(refused.message(), HasSubstr("migration 1 of the database is not the one"));
}

TEST_F(PostgresTest, DatabaseOfANewerProgramIsRefused) {
  ASSERT_TRUE(As("postgres", "INSERT INTO schema_migrations VALUES (99, '')").ok());
  const absl::Status refused = Open();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(refused.message(), HasSubstr("newer slipway-controller"));
}

TEST_F(PostgresTest, DatabaseWithoutTablesIsRefusedWithTheRemedy) {
  const std::string empty = server_.EmptyDatabase();
  const absl::Status refused = OpenAt(server_.Url("slipway", empty));
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(refused.message(), HasSubstr("prepare-store"));
  server_.DropDatabase(empty);
}

TEST_F(PostgresTest, MigrationsAreAppliedInOrderOnceAndWhole) {
  const std::string empty = server_.EmptyDatabase();
  CallGuard guard(SystemClock());
  auto owner = PostgresConnection::Open(
      {ParsePostgresUrl(server_.Url("slipway_owner", empty))->conninfo, ""}, {}, guard);
  ASSERT_TRUE(owner.ok()) << owner.status();
  std::vector<Migration> migrations = PostgresMigrations();
  const int next = migrations.back().number + 1;
  migrations.push_back({next, "CREATE TABLE later (x int); nonsense"});
  EXPECT_FALSE(PreparePostgres(**owner, "slipway", migrations).ok());
  migrations.back().text = "CREATE TABLE later (x int)";
  for (int run = 0; run < 2; ++run) {
    const absl::Status prepared = PreparePostgres(**owner, "slipway", migrations);
    EXPECT_TRUE(prepared.ok()) << prepared;
  }
  EXPECT_EQ((*owner)->Execute("SELECT max(number) FROM schema_migrations")->IntAt(0, 0), next);
  owner->reset();
  EXPECT_THAT(OpenAt(server_.Url("slipway", empty)).message(), HasSubstr("newer"));
  server_.DropDatabase(empty);
}

// --- Damage ---

TEST_F(PostgresTest, EditedEventIsRefusedWithItsPlace) {
  Begin();
  ASSERT_TRUE(As("postgres", "UPDATE events SET bytes = '\\x00' WHERE sequence = 3").ok());
  const absl::Status refused = Open();
  EXPECT_EQ(refused.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(refused.message(), HasSubstr("rollout ro-1 is damaged: record 3 "));
}

TEST_F(PostgresTest, MissingEventsAreRefusedWithTheirPlace) {
  Begin();
  ASSERT_TRUE(As("postgres", "DELETE FROM events WHERE sequence = 2").ok());
  EXPECT_THAT(Open().message(), HasSubstr("record 2 is missing"));
  ASSERT_TRUE(As("postgres", "DELETE FROM events WHERE sequence > 1").ok());
  EXPECT_THAT(Open().message(), HasSubstr("record 2 and what follows it is missing"));
}

// --- Group commit ---

TEST_F(PostgresTest, WritersThatWaitTogetherShareTransactions) {
  constexpr int kWriters = 64, kAppends = 20;
  ASSERT_TRUE(Open().ok());
  std::vector<Lease> leases;
  for (int w = 0; w < kWriters; ++w) {
    leases.push_back(*store_->journal().Acquire({"ro-" + std::to_string(w)}));
  }
  const std::string count = "SELECT pg_current_xact_id()::text";
  const auto before = server_.Run("postgres", database_, count)->IntAt(0, 0);
  std::vector<std::thread> writers;
  std::atomic<int> done = 0;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      for (int i = 0; i < kAppends; ++i) {
        done += store_->journal().Append({"ro-" + std::to_string(w)}, leases[w], {"event"}).ok();
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(done, kWriters * kAppends);
  const auto after = server_.Run("postgres", database_, count)->IntAt(0, 0);
  EXPECT_LT(after - before, kWriters * kAppends / 2);
}

// --- From SQLite ---

class PostgresMoveTest : public PostgresTest {
 protected:
  PostgresMoveTest() {
    std::string folder = testing::TempDir() + "slipway-move-XXXXXX";
    EXPECT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    Fill();
  }
  ~PostgresMoveTest() override { fs::remove_all(folder_); }

  void Fill() {
    const auto store = *SqliteStore::Open({folder_ / "store.db", "", nullptr});
    for (int i = 0; i < 5; ++i) {
      const std::string name = std::to_string(i);
      auto lease =
          *store->CreateRollout({{"ro-" + name},
                                 {{"web-" + name}},
                                 "ada",
                                 "it's \"2.0\" \\ {new}",
                                 absl::UnixEpoch(),
                                 std::string("\x00\xff,{}\"'\\", 8),
                                 AnsweredRequest{"Create", name, "a\xff", absl::UnixEpoch()}});
      for (int n = 0; n < 20; ++n) {
        const std::vector<std::string> batch(70, "event " + std::to_string(n));
        ASSERT_TRUE(store->journal().Append({"ro-" + name}, lease, batch).ok());
      }
    }
    Registry& registry = store->registry();
    ASSERT_TRUE(registry.PutHost({"web-1"}, {{"role", "web"}}, {"01", "sha256:ab", "PEM"}).ok());
    ASSERT_TRUE(registry.SetCordon({"web-1"}, Cordon{"ada", "why", absl::UnixEpoch()}).ok());
    ASSERT_TRUE(
        registry.AddToken({"sha256:t", {"web-2"}, {{"a", "b"}}, "ada", absl::UnixEpoch(), ""})
            .ok());
    ASSERT_TRUE(
        registry.AddRelease({"media", "2.0", "sha256:aa", 1u << 30, "ada", absl::UnixEpoch()})
            .ok());
    ASSERT_TRUE(registry.PutWanted({{{"web-1"}, "/srv", "sha256:aa", "2.0", {"ro-1"}}}).ok());
  }
  absl::StatusOr<StoreMove> Move(int port = 0) {
    auto from = SqliteDatabase::Open({folder_ / "store.db", "", nullptr});
    if (!from.ok()) return from.status();
    auto to = PostgresDatabase::Open(Impatient(port));
    if (!to.ok()) return to.status();
    return MoveStore(**from, **to);
  }
  // Everything that the interfaces show.
  static void ExpectSame(Store& one, Store& two) {
    const auto rollouts = *one.journal().List();
    EXPECT_EQ(rollouts, *two.journal().List());
    for (const RolloutId& rollout : rollouts) {
      EXPECT_EQ(*one.journal().Read(rollout, 1), *two.journal().Read(rollout, 1));
    }
    EXPECT_EQ(*one.registry().ListHosts(), *two.registry().ListHosts());
    EXPECT_EQ(*one.registry().ListTokens(), *two.registry().ListTokens());
    EXPECT_EQ(*one.registry().ListLocks(), *two.registry().ListLocks());
    EXPECT_EQ(*one.registry().ListReleases(), *two.registry().ListReleases());
    EXPECT_EQ(*one.registry().ListWanted(), *two.registry().ListWanted());
    EXPECT_EQ(**one.registry().FindRequest("Create", "3"),
              **two.registry().FindRequest("Create", "3"));
  }
  bool TargetIsEmpty() {
    return server_.Run("postgres", database_, "SELECT 1 FROM rollouts")->size() == 0;
  }

  fs::path folder_;
};

TEST_F(PostgresMoveTest, EverythingIsThereAndGoesOn) {
  const auto moved = Move();
  ASSERT_TRUE(moved.ok()) << moved.status();
  EXPECT_EQ(moved->rollouts, 5u);
  EXPECT_EQ(moved->events, 5u * 1401);
  EXPECT_FALSE(moved->was_there);
  const auto again = Move();
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->was_there);

  auto source = SqliteStore::Open({folder_ / "store.db", "", nullptr});
  ASSERT_TRUE(Open().ok());
  ExpectSame(**source, *store_);
  source->reset();
  Lease lease = *store_->journal().Acquire(kRollout);
  EXPECT_EQ(lease.epoch, 2u);
  EXPECT_TRUE(store_->journal().Append(kRollout, lease, {"next"}).ok());
  store_.reset();
  const auto refused = Move();
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(refused.status().message(), HasSubstr("is not empty"));
}

TEST_F(PostgresMoveTest, MoveThatBreaksOffLeavesNothingAndMayBeRepeated) {
  TcpProxy proxy(server_.port());
  proxy.CutRequest(8'000, 4'000);  // within the first page of events
  const auto broken = Move(proxy.port());
  EXPECT_TRUE(proxy.HasCut());
  // Run has begun anew by itself, or given up and left nothing.
  EXPECT_TRUE(broken.ok() || TargetIsEmpty()) << broken.status();
  const auto moved = Move();
  ASSERT_TRUE(moved.ok()) << moved.status();
  const auto source = SqliteStore::Open({folder_ / "store.db", "", nullptr});
  ASSERT_TRUE(Open().ok());
  ExpectSame(**source, *store_);
}

TEST_F(PostgresMoveTest, DamagedSourceIsNotMoved) {
  {
    const auto source = *SqliteDatabase::Open({folder_ / "store.db", "", nullptr});
    ASSERT_TRUE(source
                    ->Run([](SqliteConnection& c) {
                      return c.Execute("UPDATE records SET bytes = x'00' WHERE sequence = 700");
                    })
                    .ok());
  }
  const auto refused = Move();
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(refused.status().message(), HasSubstr("record 700 "));
  EXPECT_TRUE(TargetIsEmpty());
}

}  // namespace
}  // namespace slipway::controller
