// What every driver of databases promises.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "agent/database/backup.h"
#include "agent/database/migrate.h"
#include "agent/database/migrations.h"
#include "common/fs/unique_fd.h"
#include "tests/conformance/database_sites.h"

namespace slipway::agent {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr char kItems[] =
    "CREATE TABLE media_items (id INTEGER PRIMARY KEY, owner TEXT NOT NULL, title TEXT);"
    "CREATE INDEX media_items_by_owner ON media_items (owner);"
    "CREATE VIEW titles AS SELECT id, title FROM media_items;"
    "INSERT INTO media_items VALUES (1, 'ada', 'one'), (2, 'bob', NULL), (3, 'ada', '');";

class DatabaseConformance : public testing::TestWithParam<DatabaseKind> {
 protected:
  const Database& database() const { return site_->database(); }
  void Execute(const std::string& sql) { site_->Execute(sql); }
  // A sequence that was never there before.
  Parts& Fresh() {
    sequences_.push_back(site_->Sequence(++number_));
    return *sequences_.back();
  }
  Fingerprint State(const std::string& on = "") {
    const auto taken = database().TakeFingerprint(Fresh(), "state", on);
    EXPECT_TRUE(taken.ok()) << taken.status();
    return taken.ok() ? *taken : Fingerprint{};
  }
  BackupOrder Order(const std::string& name) const {
    return {.folder = site_->folder / "backups", .name = name, .database = "media"};
  }
  BackupRecord Backup(const std::string& name) {
    Parts& parts = Fresh();
    const auto record = TakeBackup(database(), parts, SystemClock(), Order(name));
    EXPECT_TRUE(record.ok()) << record.status();
    EXPECT_TRUE(DropScratch(database(), parts).ok());
    return record.ok() ? *record : BackupRecord{};
  }
  std::string Dump(const std::string& name) const {
    return absl::StrCat(site_->folder.path(), "/backups/", name, ".dump");
  }
  void Write(const std::string& name, const std::string& up, const std::string& down,
             const std::string& verify = "SELECT 1 WHERE 1 = 0;") {
    site_->folder.Write("db/" + name + ".up.sql", up);
    site_->folder.Write("db/" + name + ".down.sql", down);
    site_->folder.Write("db/" + name + ".verify.sql", verify);
  }
  std::vector<Migration> Known() {
    const auto read = ReadMigrations(site_->folder / "db");
    EXPECT_TRUE(read.ok()) << read.status();
    return read.ok() ? *read : std::vector<Migration>{};
  }
  std::vector<Migration> Waiting() {
    const auto applied = database().Applied(Fresh(), "applied", "");
    EXPECT_TRUE(applied.ok()) << applied.status();
    const auto pending = Pending(Known(), *applied);
    EXPECT_TRUE(pending.ok()) << pending.status();
    return *pending;
  }
  static void Nothing(const Migration&, Way) {}
  absl::Status Up(const Soundness& sound = {}) {
    const std::vector<Migration> pending = Waiting();
    return MigrateUp(database(), Fresh(), "up", "", pending, sound, Nothing);
  }
  absl::Status Rehearsal() {
    const std::vector<Migration> pending = Waiting();
    return Rehearse(database(), Fresh(), "rehearse", "", pending, {}, Nothing).status();
  }
  bool Eventually(const std::function<bool()>& condition) {
    const absl::Duration give_up = SystemClock().Monotonic() + absl::Seconds(30);
    while (!condition()) {
      if (SystemClock().Monotonic() > give_up) return false;
      SystemClock().Sleep(absl::Milliseconds(5));
    }
    return true;
  }

  const std::unique_ptr<DatabaseSite> site_ = GetParam().make();
  std::vector<std::unique_ptr<Parts>> sequences_;
  int number_ = 0;
};

TEST_P(DatabaseConformance, FingerprintNamesEachDifference) {
  Execute(kItems);
  const Fingerprint before = State();
  EXPECT_EQ(State(), before);
  const std::vector<std::pair<std::string, std::string>> changes = {
      {"DELETE FROM media_items WHERE id = 3", "table media_items has 2 rows instead of 3"},
      {"INSERT INTO media_items VALUES (3, 'ada', ' ')",
       "table media_items has 3 rows as before, with other content"},
      {"UPDATE media_items SET title = NULL WHERE id = 3",
       "table media_items has 3 rows as before, with other content"},
      {"UPDATE media_items SET title = '' WHERE id = 3", ""},
      {"DROP INDEX media_items_by_owner", "index media_items_by_owner is missing"},
      {"CREATE INDEX media_items_by_owner ON media_items (title)",
       "index media_items_by_owner is `"},
      {"DROP INDEX media_items_by_owner; CREATE INDEX media_items_by_owner ON media_items (owner)",
       ""},
      {"DROP VIEW titles", "view titles is missing"},
      {"CREATE VIEW titles AS SELECT id, title FROM media_items", ""},
      {"ALTER TABLE media_items ADD COLUMN extra TEXT", "media_items"},
      {"ALTER TABLE media_items DROP COLUMN extra", ""},
      {"CREATE TABLE more (id INTEGER)", "table more was not there"},
  };
  for (const auto& [sql, phrase] : changes) {
    Execute(sql);
    const std::vector<std::string> differences = Differences(before, State());
    if (phrase.empty()) {
      EXPECT_THAT(differences, IsEmpty()) << sql;
    } else {
      EXPECT_THAT(differences, Contains(HasSubstr(phrase))) << sql;
    }
  }
}

TEST_P(DatabaseConformance, OrderOfRowsAndIgnoredColumnsAreNothing) {
  Execute(
      "CREATE TABLE visits (who TEXT, at TEXT); CREATE TABLE \"od d\" (\"a b\" TEXT);"
      "INSERT INTO visits VALUES ('ada', 'now'), ('bob', 'then'), ('ada', 'later');"
      "INSERT INTO \"od d\" VALUES ('tab\t, newline\n and back\\slash')");
  const Fingerprint before = State();
  Execute("DELETE FROM visits; INSERT INTO visits VALUES ('bob', 'x'), ('ada', 'y'), ('ada', 'z')");
  EXPECT_THAT(Differences(before, State()), IsEmpty());
  Execute("UPDATE visits SET who = 'bob'");
  EXPECT_THAT(Differences(before, State()), testing::SizeIs(1));
}

TEST_P(DatabaseConformance, BackupIsPrivateProvedAndDescribed) {
  Execute(kItems);
  const BackupRecord record = Backup("one");
  EXPECT_EQ(record.fingerprint, State());
  EXPECT_EQ(record.fingerprint.tables.at("media_items").rows, 3u);
  EXPECT_NE(record.server, "");
  EXPECT_EQ(record.bytes, std::filesystem::file_size(Dump("one")));
  const auto read = ReadBackupRecord(site_->folder / "backups", "one");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, record);
  for (const auto& entry : std::filesystem::directory_iterator(site_->folder / "backups")) {
    struct stat st = {};
    ASSERT_EQ(::stat(entry.path().c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 0777, 0600u) << entry.path();
  }
  EXPECT_THAT(site_->Copies(), IsEmpty());
}

TEST_P(DatabaseConformance, CopyThatADeadSequenceLeftIsDroppedOrGoesWithItsFolder) {
  Execute(kItems);
  const BackupRecord record = Backup("one");
  Parts& dead = Fresh();
  ASSERT_TRUE(
      LoadProved(database(), dead, "dead", record, Dump("one"), database().ScratchName(dead)).ok());
  EXPECT_THAT(site_->Copies(), Not(IsEmpty()));
  Backup("two");
  std::filesystem::remove_all(dead.folder());
  EXPECT_THAT(site_->Copies(), IsEmpty());
}

TEST_P(DatabaseConformance, BackupIsNeverWrittenOver) {
  Execute(kItems);
  const BackupRecord record = Backup("one");
  Execute("DELETE FROM media_items");
  const auto again = TakeBackup(database(), Fresh(), SystemClock(), Order("one"));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(*again, record);
  std::ofstream(Dump("one"), std::ios::app) << "x";
  const auto damaged = TakeBackup(database(), Fresh(), SystemClock(), Order("one"));
  EXPECT_EQ(damaged.status().code(), absl::StatusCode::kDataLoss) << damaged.status();
}

TEST_P(DatabaseConformance, BackupUnderWritesIsOneSnapshot) {
  Execute(kItems);
  std::atomic<bool> over = false;
  std::thread writer([&] {
    for (int i = 100; !over; ++i) {
      Execute(absl::StrCat("INSERT INTO media_items VALUES (", i, ", 'eve', 'x')"));
    }
  });
  const auto record = TakeBackup(database(), Fresh(), SystemClock(), Order("busy"));
  over = true;
  writer.join();
  EXPECT_TRUE(record.ok()) << record.status();
}

// A dump that was changed on the way, in 200 ways; each is refused, and named.
TEST_P(DatabaseConformance, DumpThatIsAnotherFileIsRefused) {
  Execute(kItems);
  const BackupRecord record = Backup("good");
  std::ifstream file(Dump("good"), std::ios::binary);
  const std::string good{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  Execute("DELETE FROM media_items WHERE id = 1");
  Backup("foreign");
  std::ifstream other(Dump("foreign"), std::ios::binary);
  std::vector<std::string> variants = {"", "-- PostgreSQL database dump\n", good + "x", good + good,
                                       std::string(std::istreambuf_iterator<char>(other), {})};
  for (std::size_t i = 0; variants.size() < 105; ++i) {
    variants.push_back(good);
    variants.back()[(i * good.size() / 100) % good.size()] ^= static_cast<char>(1 << (i % 8));
  }
  for (std::size_t i = 0; variants.size() < 200; ++i) {
    variants.push_back(good.substr(0, i * good.size() / 100));
  }
  Parts& parts = Fresh();
  for (std::size_t i = 0; i < variants.size(); ++i) {
    const std::string path = site_->folder.Write("bad.dump", variants[i]);
    const absl::Status loaded = LoadProved(database(), parts, absl::StrCat("bad", i), record, path,
                                           database().ScratchName(parts));
    EXPECT_EQ(loaded.code(), absl::StatusCode::kDataLoss) << i << ": " << loaded;
    EXPECT_THAT(std::string(loaded.message()), HasSubstr(path));
  }
}

// The record fits the file here, so that only restoring it can tell.
TEST_P(DatabaseConformance, DumpThatDoesNotRestoreTheSameIsRefused) {
  Execute(kItems);
  const BackupRecord record = Backup("good");
  std::ifstream file(Dump("good"), std::ios::binary);
  const std::string good{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  Execute("DELETE FROM media_items WHERE id = 1");
  Backup("foreign");
  std::ifstream other(Dump("foreign"), std::ios::binary);
  const std::vector<std::string> variants = {
      "",
      "no dump at all\n",
      good.substr(0, 4),
      good.substr(0, good.size() / 3),
      good.substr(0, good.size() / 2),
      std::string(std::istreambuf_iterator<char>(other), {})};
  for (std::size_t i = 0; i < variants.size(); ++i) {
    Parts& parts = Fresh();
    const std::string path = site_->folder.Write("bad.dump", variants[i]);
    BackupRecord forged = record;
    forged.bytes = variants[i].size();
    forged.digest = Digest::Of(variants[i]).ToString();
    const absl::Status loaded =
        LoadProved(database(), parts, "bad", forged, path, database().ScratchName(parts));
    EXPECT_FALSE(loaded.ok()) << i;
    EXPECT_TRUE(DropScratch(database(), parts).ok());
  }
  EXPECT_THAT(site_->Copies(), IsEmpty());
}

TEST_P(DatabaseConformance, RestoreBringsBackWhatWasDumpedAndKeepsWhatWasThere) {
  Execute(kItems);
  const BackupRecord record = Backup("one");
  Execute("DELETE FROM media_items; DROP INDEX media_items_by_owner");
  const Fingerprint broken = State();
  const auto aside = RestoreBackup(database(), Fresh(), record, Dump("one"));
  ASSERT_TRUE(aside.ok()) << aside.status();
  EXPECT_THAT(Differences(record.fingerprint, State()), IsEmpty());
  EXPECT_NE(*aside, "");
  EXPECT_THAT(site_->Copies(), IsEmpty());
  if (GetParam().name == "sqlite") {  // PostgreSQL's refuses connections
    EXPECT_EQ(State(site_->folder / std::filesystem::path(*aside).filename().string()), broken);
  }
  Execute("INSERT INTO media_items VALUES (7, 'ada', 'after')");
}

TEST_P(DatabaseConformance, MigrationsAreAppliedOnceAndNotedWithTheirDigest) {
  Write("0001_items", kItems, "DROP VIEW titles; DROP TABLE media_items;");
  Write("0002_sizes", "ALTER TABLE media_items ADD COLUMN size INTEGER;",
        "ALTER TABLE media_items DROP COLUMN size;");
  ASSERT_EQ(Waiting().size(), 2u);
  ASSERT_TRUE(Up().ok());
  EXPECT_TRUE(Waiting().empty());
  EXPECT_TRUE(Up().ok());
  const auto applied = database().Applied(Fresh(), "applied", "");
  ASSERT_TRUE(applied.ok());
  ASSERT_EQ(applied->size(), 2u);
  EXPECT_EQ(applied->at(1), (AppliedMigration{2, "0002_sizes", Known().at(1).digest}));
  Write("0001_items", "SELECT 1;", "SELECT 1;");
  EXPECT_THAT(std::string(Pending(Known(), *applied).status().message()),
              HasSubstr("0001_items was applied as 0001_items with another content"));
}

TEST_P(DatabaseConformance, MigrationThatFailsHalfWayIsRolledBackAndNamed) {
  Write("0001_items", kItems, "DROP VIEW titles; DROP TABLE media_items;");
  ASSERT_TRUE(Up().ok());
  const Fingerprint before = State();
  Write("0002_bad",
        "CREATE TABLE half (id INTEGER); DELETE FROM media_items; SELECT * FROM nowhere;",
        "DROP TABLE half;");
  const absl::Status up = Up();
  EXPECT_EQ(up.code(), absl::StatusCode::kFailedPrecondition) << up;
  EXPECT_THAT(std::string(up.message()), HasSubstr("0002_bad.up.sql: "));
  EXPECT_THAT(std::string(up.message()), HasSubstr("nowhere"));
  EXPECT_THAT(Differences(before, State()), IsEmpty());
  EXPECT_EQ(Waiting().size(), 1u);
}

TEST_P(DatabaseConformance, UnsoundDataIsNamedWithItsRow) {
  Write("0001_items", kItems, "DROP VIEW titles; DROP TABLE media_items;",
        "SELECT owner, title FROM media_items WHERE title IS NULL;");
  const absl::Status up = Up();
  EXPECT_EQ(up.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(up.message()), HasSubstr("0001_items.verify.sql: the data is not sound"));
  EXPECT_THAT(std::string(up.message()), HasSubstr("bob"));
  const std::string invariant =
      site_->folder.Write("no_empty_title.sql", "SELECT id FROM media_items WHERE title = '';");
  EXPECT_THAT(std::string(Up({.invariants = {invariant}}).message()),
              HasSubstr("no_empty_title.sql: the data is not sound; the first of 1 rows is \"3\""));
}

TEST_P(DatabaseConformance, QueriesCanChangeNothing) {
  Execute(kItems);
  const Fingerprint before = State();
  const std::string file = site_->folder.Write("evil.sql", "DELETE FROM media_items;");
  EXPECT_FALSE(database().Query(Fresh(), "query", "", file).ok());
  EXPECT_THAT(Differences(before, State()), IsEmpty());
}

TEST_P(DatabaseConformance, RehearsalLeavesTheDatabaseMigrated) {
  Execute(kItems);
  Write("0001_sizes",
        "ALTER TABLE media_items ADD COLUMN size INTEGER; UPDATE media_items SET size = 1;",
        "ALTER TABLE media_items DROP COLUMN size;");
  Write("0002_tags", "CREATE TABLE tags (id INTEGER PRIMARY KEY);", "DROP TABLE tags;");
  const Fingerprint before = State();
  const absl::Status rehearsed = Rehearsal();
  ASSERT_TRUE(rehearsed.ok()) << rehearsed;
  EXPECT_TRUE(Waiting().empty());
  const std::vector<Migration> all = Known();
  ASSERT_TRUE(MigrateDown(database(), Fresh(), "down", "", all, Nothing).ok());
  EXPECT_THAT(Differences(before, State()), IsEmpty());
}

TEST_P(DatabaseConformance, WayBackThatForgetsSomethingIsNamed) {
  Execute(kItems);
  const std::vector<std::array<std::string, 3>> forgetful = {
      {"DROP INDEX media_items_by_owner;", "SELECT 1;", "index media_items_by_owner is missing"},
      {"DELETE FROM media_items WHERE id = 2;", "SELECT 1;",
       "table media_items has 2 rows instead of 3"},
      {"CREATE TABLE tags (id INTEGER);", "SELECT 1;", "table tags was not there"}};
  for (const auto& [up, down, phrase] : forgetful) {
    Write("0001_forgets", up, down);
    const absl::Status rehearsed = Rehearsal();
    EXPECT_EQ(rehearsed.code(), absl::StatusCode::kFailedPrecondition) << rehearsed;
    EXPECT_THAT(std::string(rehearsed.message()), HasSubstr("0001_forgets.down.sql does not lead "
                                                            "back to what was there before: "));
    EXPECT_THAT(std::string(rehearsed.message()), HasSubstr(phrase));
    EXPECT_EQ(Waiting().size(), 1u);
    Execute(
        "DROP INDEX IF EXISTS media_items_by_owner; DROP TABLE IF EXISTS tags;"
        "DELETE FROM media_items; DROP VIEW titles; DROP TABLE media_items;");
    Execute(kItems);
  }
}

// The agent dies after each part in turn; the same sequence goes on and nothing happens twice.
TEST_P(DatabaseConformance, SequenceThatIsCutAnywhereGoesOnWhereItWas) {
  Execute("CREATE TABLE runs (id INTEGER)");
  Write("0001_one", "INSERT INTO runs VALUES (1);", "DELETE FROM runs;");
  Write("0002_two", "INSERT INTO runs VALUES (2);", "DELETE FROM runs;");
  const int sequence = ++number_;
  absl::Status end = absl::CancelledError("not begun");
  for (int lives = 0; absl::IsCancelled(end) && lives < 20; ++lives) {
    // Looks that an incarnation of the agent lives for; a part takes one or more.
    int looks = 0;
    const auto parts = site_->Sequence(
        sequence, {.stopping = [&] { return ++looks > lives; }, .cancelled = [] { return false; }});
    const auto applied = database().Applied(*parts, "applied", "");
    end = applied.status();
    if (!applied.ok()) continue;
    const auto pending = Pending(Known(), *applied);
    ASSERT_TRUE(pending.ok()) << pending.status();
    EXPECT_EQ(pending->size(), 2u);
    end = MigrateUp(database(), *parts, "up", "", *pending, {}, Nothing);
  }
  ASSERT_TRUE(end.ok()) << end;
  EXPECT_EQ(State().tables.at("runs").rows, 2u);
}

// What can be read of a file of /proc; its process may end meanwhile, which a stream would throw.
std::string OfProcess(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  char piece[4096];
  for (ssize_t n = 0; fd.valid() && (n = ::read(fd.get(), piece, sizeof piece)) > 0;) {
    text.append(piece, static_cast<std::size_t>(n));
  }
  return text;
}

TEST_P(DatabaseConformance, SecretStandsInNoCommandLineEnvironmentOrOutput) {
  Execute(kItems);
  std::atomic<bool> over = false;
  std::atomic<int> seen = 0, looked = 0;
  std::thread spy([&] {
    while (!over) {
      for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        for (const char* name : {"/cmdline", "/environ"}) {
          const std::string text = OfProcess(entry.path().string() + name);
          if (text.find(kCanary) != std::string::npos) ++seen;
          if (text.find(site_->folder.path()) != std::string::npos) ++looked;
        }
      }
    }
  });
  Backup("one");
  EXPECT_TRUE(Eventually([&] { return looked > 0; }));
  over = true;
  spy.join();
  EXPECT_EQ(seen, 0);
  EXPECT_THAT(site_->Said(number_), Not(HasSubstr(kCanary)));
  for (const auto& entry : std::filesystem::recursive_directory_iterator(site_->folder.path())) {
    if (!entry.is_regular_file()) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    EXPECT_EQ(text.find(kCanary), std::string::npos) << entry.path();
  }
}

TEST_P(DatabaseConformance, PartIsNeverNamedTwice) {
  Execute(kItems);
  Parts& parts = Fresh();
  ASSERT_TRUE(database().TakeFingerprint(parts, "state", "").ok());
  EXPECT_EQ(database().TakeFingerprint(parts, "state", "").status().code(),
            absl::StatusCode::kInternal);
}

TEST_P(DatabaseConformance, OnlyCopiesAreDropped) {
  Execute(kItems);
  EXPECT_FALSE(database().Drop(Fresh(), "drop", "").ok());
  EXPECT_EQ(State().tables.at("media_items").rows, 3u);
}

INSTANTIATE_TEST_SUITE_P(All, DatabaseConformance, testing::ValuesIn(DatabaseKinds()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace slipway::agent
