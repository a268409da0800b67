// Plans that back a database up, migrate it and take it back, over real processes and on real
// databases of both kinds: nothing is lost, and what a way back forgets is named before it counts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/artifact/digest.h"
#include "tests/conformance/database_sites.h"
#include "tests/integration/mini_fleet.h"
#include "tests/postgres/postgres_server.h"

namespace slipway::test {
namespace {

using agent::DatabaseKind;
using agent::DatabaseSite;
using agent::Differences;
using agent::Fingerprint;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// A rollout here is up to 40 client programs, one after the other.
constexpr absl::Duration kPatience = absl::Minutes(2);

// The bodies of one migration.
struct Sql {
  std::string up, down, verify = "SELECT id FROM items WHERE size IS NULL;";
};

const Sql kGood = {
    "ALTER TABLE items ADD COLUMN size INTEGER; UPDATE items SET size = 1;",
    "ALTER TABLE items DROP COLUMN size;",
};

bool IsOver(const v1::Rollout& rollout) {
  return rollout.has_ended();
}

class DatabaseRollout : public testing::TestWithParam<DatabaseKind> {
 protected:
  void SetUp() override {
    site_ = GetParam().make();
    site_->Execute("CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT NOT NULL)");
    site_->Execute("CREATE INDEX items_by_name ON items (name)");
    site_->Execute("INSERT INTO items VALUES (1, 'one'), (2, 'two'), (3, 'three')");
    ASSERT_TRUE(fleet_.StartAgents(1)) << fleet_.Logs();
    GiveSecret();
    before_ = State();
  }

  void TearDown() override {
    std::error_code ignored;
    std::filesystem::remove_all(
        "/dev/shm/slipway-agent-" + Digest::Of(fleet_.AgentDir("web-1")).Short(), ignored);
  }

  // The agent looks for secrets in a folder of the test's.
  void GiveSecret() {
    const std::string secrets = fleet_.dir() + "/secrets";
    std::filesystem::create_directory(secrets);
    std::ofstream(secrets + "/ITEMS") << site_->Url() << "\n";
    ASSERT_EQ(::chmod((secrets + "/ITEMS").c_str(), 0600), 0);
    const std::string path = fleet_.AgentDir("web-1") + "/agent.yaml";
    const std::string config =
        absl::StrReplaceAll(ContentOf(path), {{"/etc/slipway/secrets", secrets}});
    ASSERT_THAT(config, HasSubstr(secrets));
    std::ofstream(path, std::ios::trunc) << config;
    RestartAgent();
  }
  void RestartAgent() {
    fleet_.agent("web-1").Signal(SIGKILL);
    fleet_.agent("web-1").Wait();
    fleet_.StartAgent("web-1");
    ASSERT_TRUE(fleet_.AwaitHost("web-1", v1::Host::CONNECTED)) << fleet_.Logs();
  }

  Fingerprint State() {
    const auto parts = site_->Sequence(++sequences_);
    const auto state = site_->database().TakeFingerprint(*parts, "state", "");
    EXPECT_TRUE(state.ok()) << state.status();
    return state.ok() ? *state : Fingerprint();
  }

  // A release whose only migration this is, with a service that does nothing.
  void Push(const Sql& sql) {
    const std::string dir = fleet_.dir() + "/release";
    std::filesystem::create_directories(dir + "/db/migrations");
    std::filesystem::create_directories(dir + "/files");
    std::ofstream(dir + "/db/migrations/0001_size.up.sql") << sql.up << "\n";
    std::ofstream(dir + "/db/migrations/0001_size.down.sql") << sql.down << "\n";
    std::ofstream(dir + "/db/migrations/0001_size.verify.sql") << sql.verify << "\n";
    std::ofstream(dir + "/files/serve") << "#!/bin/sh\nexec sleep 600\n";
    std::filesystem::permissions(dir + "/files/serve", std::filesystem::perms(0755));
    std::ofstream(dir + "/release.yaml")
        << "release: 1\nname: nothing\nversion: 1.0.0\ncomponents:\n"
           "  files: { path: files/ }\n  database: { path: db/ }\n"
           "services:\n  serve: { component: files, run: [serve] }\n";
    ASSERT_TRUE(fleet_.Push(dir));
  }

  // `last` comes after the service was started; "" = nothing does.
  v1::Rollout Deploy(const std::string& migrate, const std::string& last = "",
                     const std::string& rollback = "") {
    const std::string app = std::filesystem::path(fleet_.dir()).lexically_normal() / "app";
    const std::string plan = absl::StrCat(
        "plan: 1\nname: items\nenvironment: test\ngroups:\n  all: { select: \"role=web\" }\n"
        "database:\n  items:\n    kind: ",
        GetParam().name, "\n    url: secret:ITEMS\n    used_by: [all]\n",
        "    migrations: db/migrations\n    tables: [items]\n",
        "    fingerprint: { ignore: [visits.at] }\nphases:\n  - phase: database\n    steps:\n",
        "      - backup: { hosts: all, database: items, prove: restore, keep: 14d }\n",
        "      - stage: { hosts: all, component: files, app: ", app, " }\n",
        "      - migrate: { hosts: all, database: items", migrate, " }\n",
        "  - phase: service\n    hosts: all\n",
        "    strategy: { canary: { hosts: 0 }, batch: 100%, bake: 1ms }\n    steps:\n",
        "      - switch: { app: ", app, " }\n      - start: { service: serve }\n", last, rollback);
    v1::Rollout rollout;
    const grpc::Status status = fleet_.Deploy(plan, rollout);
    EXPECT_TRUE(status.ok()) << status.error_message() << "\n" << plan;
    return rollout;
  }
  v1::Rollout End(const v1::Rollout& rollout) {
    EXPECT_TRUE(MiniFleet::Await([&] { return IsOver(fleet_.Get(rollout.id())); }, kPatience))
        << fleet_.Get(rollout.id()).DebugString() << fleet_.Logs();
    return fleet_.Get(rollout.id());
  }
  static std::string Failures(const v1::Rollout& rollout) {
    std::string text;
    for (const v1::FailureNote& note : rollout.failures()) {
      absl::StrAppend(&text, note.step(), ": ", note.message(), "\n");
    }
    return text;
  }
  // What stands nowhere but in the secret and in memory.
  void ExpectNoSecretOnDisk() {
    const std::string secrets = fleet_.dir() + "/secrets";
    for (const auto& entry : std::filesystem::recursive_directory_iterator(fleet_.dir())) {
      if (!entry.is_regular_file() || entry.path().string().starts_with(secrets)) continue;
      EXPECT_THAT(ContentOf(entry.path()), Not(HasSubstr(agent::kCanary))) << entry.path();
    }
  }

  MiniFleet fleet_;
  std::unique_ptr<DatabaseSite> site_;
  Fingerprint before_;
  int sequences_ = 0;
};

constexpr char kFails[] = "      - check: { tcp: \"127.0.0.1:1\" }\n";

TEST_P(DatabaseRollout, MigratesAfterAProvedBackup) {
  Push(kGood);
  const v1::Rollout rollout = End(Deploy(""));
  EXPECT_EQ(rollout.state(), v1::Rollout::SUCCEEDED) << Failures(rollout) << fleet_.Logs();
  const Fingerprint after = State();
  EXPECT_EQ(after.tables.at("items").rows, 3u);
  EXPECT_THAT(Differences(before_, after), Not(IsEmpty()));
  int dumps = 0;
  const std::string backups = fleet_.AgentDir("web-1") + "/databases/backups/items";
  for (const auto& entry : std::filesystem::directory_iterator(backups)) {
    dumps += entry.path().extension() == ".dump" ? 1 : 0;
    EXPECT_EQ(entry.status().permissions(), std::filesystem::perms(0600)) << entry.path();
  }
  EXPECT_EQ(dumps, 2) << "that of the step, and that of the migration itself";
  EXPECT_THAT(site_->Copies(), IsEmpty());
  ExpectNoSecretOnDisk();
}

TEST_P(DatabaseRollout, LaterFailureTakesTheSchemaBack) {
  Push(kGood);
  const v1::Rollout rollout = End(Deploy("", kFails));
  EXPECT_EQ(rollout.state(), v1::Rollout::ROLLED_BACK) << Failures(rollout) << fleet_.Logs();
  EXPECT_THAT(Differences(before_, State()), IsEmpty());
}

TEST_P(DatabaseRollout, WayBackThatForgetsAnIndexStopsTheRolloutBeforeItCounts) {
  Push({"DROP INDEX items_by_name;", "SELECT 1;", "SELECT 1 WHERE 1 = 0;"});
  const v1::Rollout rollout = End(Deploy(""));
  EXPECT_EQ(rollout.state(), v1::Rollout::ROLLED_BACK) << fleet_.Logs();
  EXPECT_THAT(Failures(rollout), HasSubstr("0001_size.down.sql does not lead back"));
  EXPECT_THAT(Failures(rollout), HasSubstr("index items_by_name is missing"));
  EXPECT_THAT(Differences(before_, State()), IsEmpty());
  EXPECT_THAT(site_->Copies(), IsEmpty());
}

// There the database itself has the damage; its backup is swapped in.
TEST_P(DatabaseRollout, WayBackThatLosesARowInPlaceIsRestored) {
  Push({"DELETE FROM items WHERE id = 2;", "SELECT 1;", "SELECT 1 WHERE 1 = 0;"});
  const v1::Rollout rollout = End(Deploy(", rehearse: inplace, quiet: stop"));
  EXPECT_EQ(rollout.state(), v1::Rollout::ROLLED_BACK) << Failures(rollout) << fleet_.Logs();
  EXPECT_THAT(Failures(rollout), HasSubstr("table items has 2 rows instead of 3"));
  EXPECT_THAT(Differences(before_, State()), IsEmpty());
}

TEST_P(DatabaseRollout, RehearsedInPlaceItIsMigratedOnce) {
  Push({"CREATE TABLE runs (id INTEGER); INSERT INTO runs VALUES (1);", "DROP TABLE runs;",
        "SELECT 1 WHERE 1 = 0;"});
  const v1::Rollout rollout = End(Deploy(", rehearse: inplace, quiet: stop"));
  EXPECT_EQ(rollout.state(), v1::Rollout::SUCCEEDED) << Failures(rollout) << fleet_.Logs();
  EXPECT_EQ(State().tables.at("runs").rows, 1u);
}

INSTANTIATE_TEST_SUITE_P(All, DatabaseRollout, testing::ValuesIn(agent::DatabaseKinds()),
                         [](const auto& info) { return info.param.name; });

// A session that holds an advisory lock until it is ended; the migration waits for that lock.
class Holder {
 public:
  explicit Holder(std::string database) : database_(std::move(database)) {
    thread_ = std::thread([this] {
      (void)PostgresServer::Shared().Run("postgres", database_,
                                         "SELECT pg_advisory_lock(7), pg_sleep(600)");
    });
    EXPECT_TRUE(MiniFleet::Await([&] { return Count("granted") == 1; }));
  }
  ~Holder() { Release(); }
  void Release() {
    if (!thread_.joinable()) return;
    const auto ended = PostgresServer::Shared().Run(
        "postgres", database_,
        absl::StrCat("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE granted AND ", kOurs));
    EXPECT_TRUE(ended.ok()) << ended.status();
    thread_.join();
  }
  std::int64_t Count(const std::string& condition) const {
    const auto rows = PostgresServer::Shared().Run(
        "postgres", database_,
        absl::StrCat("SELECT count(*) FROM pg_locks WHERE ", condition, " AND ", kOurs));
    EXPECT_TRUE(rows.ok()) << rows.status();
    return rows.ok() ? rows->IntAt(0, 0) : -1;
  }

 private:
  static constexpr char kOurs[] =
      "locktype = 'advisory' AND objid = 7 AND database = "
      "(SELECT oid FROM pg_database WHERE datname = current_database())";
  const std::string database_;
  std::thread thread_;
};

class KilledMigration : public DatabaseRollout {};

// psql goes on without the agent; the next agent finds out how it ended and does nothing again.
TEST_P(KilledMigration, IsFoundOutAndNeverRunTwice) {
  Push(
      {"SELECT pg_advisory_xact_lock(7); CREATE TABLE runs (id INTEGER);"
       " INSERT INTO runs VALUES (1);",
       "DROP TABLE runs;", "SELECT 1 WHERE 1 = 0;"});
  const std::string url = site_->Url();
  const std::string name = url.substr(0, url.find('?')).substr(url.rfind('/', url.find('?')) + 1);
  Holder holder(name);
  const v1::Rollout rollout = Deploy("");
  ASSERT_TRUE(MiniFleet::Await([&] { return holder.Count("NOT granted") == 1; }, kPatience))
      << fleet_.Get(rollout.id()).DebugString() << fleet_.Logs();
  RestartAgent();
  EXPECT_EQ(holder.Count("NOT granted"), 1) << "the migration goes on";
  holder.Release();
  const v1::Rollout end = End(rollout);
  EXPECT_EQ(end.state(), v1::Rollout::SUCCEEDED) << Failures(end) << fleet_.Logs();
  EXPECT_EQ(State().tables.at("runs").rows, 1u);
}

INSTANTIATE_TEST_SUITE_P(Postgres, KilledMigration, testing::Values(agent::DatabaseKinds().at(1)),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace slipway::test
