// What SQLite must do beyond the conformance suite: full disks, lost fsyncs, damage, migrations.

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "controller/journal/sqlite_journal.h"
#include "controller/journal/test_fault_vfs.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace slipway::controller {
namespace {

using testing::HasSubstr;
using testing::SizeIs;
namespace fs = std::filesystem;

const RolloutId kRollout{"ro-1"};

class SqliteTest : public testing::Test {
 protected:
  SqliteTest() {
    std::string folder = testing::TempDir() + "slipway-sqlite-XXXXXX";
    EXPECT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    path_ = folder_ / "slipway.db";
  }
  ~SqliteTest() override {
    Close();
    fs::remove_all(folder_);
  }

  absl::Status Open(SqliteOptions options) {
    Close();
    options.path = path_;
    auto database = SqliteDatabase::Open(std::move(options));
    if (!database.ok()) return database.status();
    database_ = *std::move(database);
    auto journal = SqliteJournal::Open(*database_);
    if (!journal.ok()) return journal.status();
    journal_ = *std::move(journal);
    return absl::OkStatus();
  }
  absl::Status Open() { return Open({}); }
  void Close() {
    journal_.reset();
    database_.reset();
  }
  // Opens with faults to come, and a rollout that has one record.
  Lease Begin() {
    SqliteOptions options;
    options.vfs = vfs_.name();
    options.on_lost_fsync = [this](const absl::Status& reason) {
      ++deaths_;
      reason_ = reason;
    };
    EXPECT_TRUE(Open(std::move(options)).ok());
    Lease lease = *journal_->Acquire(kRollout);
    EXPECT_TRUE(journal_->Append(kRollout, lease, {"first"}).ok());
    return lease;
  }
  absl::Status Execute(const std::string& sql) {
    return database_->Run([&](SqliteConnection& c) { return c.Execute(sql); });
  }
  // The only way to flip what lies on a disk.
  static void Flip(const fs::path& file, std::uint64_t offset) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(static_cast<std::streamoff>(offset));
    const char byte = static_cast<char>(stream.get() ^ 0x20);
    stream.seekp(static_cast<std::streamoff>(offset));
    stream.put(byte);
  }

  FaultVfs vfs_;
  int deaths_ = 0;
  absl::Status reason_;
  fs::path folder_, path_;
  std::unique_ptr<SqliteDatabase> database_;
  std::unique_ptr<SqliteJournal> journal_;
};

TEST_F(SqliteTest, FullDiskRefusesWholeAndHealsByItself) {
  Lease lease = Begin();
  const Lease before = lease;
  vfs_.full_from = 0;
  const absl::Status full = journal_->Append(kRollout, lease, {"second", "third"});
  EXPECT_EQ(full.code(), absl::StatusCode::kResourceExhausted) << full;
  EXPECT_THAT(full.message(), HasSubstr("free disk space"));
  EXPECT_EQ(lease.next, before.next);
  EXPECT_EQ(journal_->Acquire(kRollout).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(*journal_->Read(kRollout, 1), SizeIs(1));

  vfs_.full_from = std::numeric_limits<std::int64_t>::max();
  EXPECT_TRUE(journal_->Append(kRollout, lease, {"second"}).ok());
  ASSERT_TRUE(Open().ok());
  EXPECT_THAT(*journal_->Read(kRollout, 1), SizeIs(2));
  EXPECT_EQ(deaths_, 0);
}

// Only the big append finds the disk full, whoever shares its transaction.
TEST_F(SqliteTest, BigAppendOnAFullDiskHarmsNoNeighbour) {
  Lease big = Begin();
  vfs_.full_from = 400'000;
  std::vector<std::thread> writers;
  std::vector<absl::Status> small(8);
  for (int w = 0; w < 8; ++w) {
    writers.emplace_back([this, w, &small] {
      const RolloutId rollout{"ro-small-" + std::to_string(w)};
      auto lease = journal_->Acquire(rollout);
      small[w] = lease.ok() ? journal_->Append(rollout, *lease, {"little"}) : lease.status();
    });
  }
  const absl::Status refused = journal_->Append(kRollout, big, {std::string(1 << 20, 'x')});
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted) << refused;
  for (const absl::Status& status : small) EXPECT_TRUE(status.ok()) << status;
  EXPECT_THAT(*journal_->List(), SizeIs(9));
}

TEST_F(SqliteTest, LostFsyncIsTheEnd) {
  Lease lease = Begin();
  vfs_.FailSync("-wal");
  EXPECT_EQ(journal_->Append(kRollout, lease, {"second"}).code(), absl::StatusCode::kInternal);
  EXPECT_EQ(deaths_, 1);
  EXPECT_THAT(reason_.message(), HasSubstr("an fsync failed"));

  // Never again, even when the next fsync would say that all is well.
  vfs_.FailSync("");
  EXPECT_EQ(journal_->Append(kRollout, lease, {"second"}).code(), absl::StatusCode::kInternal);
  EXPECT_EQ(journal_->Read(kRollout, 1).status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(deaths_, 1);
}

TEST_F(SqliteTest, LostFsyncOfACheckpointIsTheEnd) {
  Lease lease = Begin();
  vfs_.FailSync(".db");
  // Durable in the log; the checkpoint behind it is what fails.
  EXPECT_TRUE(journal_->Append(kRollout, lease, {std::string(20 << 20, 'x')}).ok());
  EXPECT_EQ(journal_->Append(kRollout, lease, {"next"}).code(), absl::StatusCode::kInternal);
  EXPECT_EQ(deaths_, 1);
}

TEST_F(SqliteTest, LostFsyncEndsTheProcessWith70) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        SqliteOptions options;
        options.vfs = vfs_.name();
        if (!Open(std::move(options)).ok()) _exit(1);
        vfs_.FailSync("-wal");
        (void)journal_->Acquire(kRollout);
        _exit(2);
      },
      testing::ExitedWithCode(70), "");
}

TEST_F(SqliteTest, EachAppendIsSynced) {
  Lease lease = Begin();
  for (int i = 0; i < 10; ++i) {
    const int before = vfs_.syncs;
    ASSERT_TRUE(journal_->Append(kRollout, lease, {"x"}).ok());
    EXPECT_GT(vfs_.syncs, before);
  }
}

TEST_F(SqliteTest, SecondOpenerIsRefused) {
  ASSERT_TRUE(Open().ok());
  const auto second = SqliteDatabase::Open({path_, "", nullptr});
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(second.status().message(), HasSubstr("another process has it open"));
  EXPECT_TRUE(journal_->Acquire(kRollout).ok());
}

TEST_F(SqliteTest, FileIsForItsOwnerOnly) {
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(fs::status(path_).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(SqliteTest, NoDatabaseAtAllIsRefused) {
  std::ofstream(path_) << std::string(8192, 'x');
  EXPECT_EQ(Open().code(), absl::StatusCode::kDataLoss);
  path_ = folder_ / "missing" / "slipway.db";
  EXPECT_EQ(Open().code(), absl::StatusCode::kUnavailable);
}

TEST_F(SqliteTest, EditedRecordIsRefusedWithItsPlace) {
  Lease lease = Begin();
  ASSERT_TRUE(journal_->Append(kRollout, lease, {"second", "third", "fourth"}).ok());
  ASSERT_TRUE(Execute("UPDATE records SET bytes = x'00' WHERE sequence = 3").ok());
  const absl::Status refused = Open();
  EXPECT_EQ(refused.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(refused.message(), HasSubstr("rollout ro-1 is damaged: record 3 "));
}

TEST_F(SqliteTest, LostTailIsRefusedWithItsPlace) {
  Lease lease = Begin();
  ASSERT_TRUE(journal_->Append(kRollout, lease, {"second", "third", "fourth"}).ok());
  ASSERT_TRUE(Execute("DELETE FROM records WHERE sequence > 2").ok());
  EXPECT_THAT(Open().message(), HasSubstr("record 3 and what follows it is missing"));
}

// What a crash leaves: database and log as they lie on the disk while somebody writes.
class SqliteLogTest : public SqliteTest {
 protected:
  static constexpr int kRecords = 20;
  static constexpr std::uint64_t kFrame = 24 + 4096;

  SqliteLogTest() {
    Lease lease = Begin();
    for (int i = 2; i <= kRecords; ++i) {
      EXPECT_TRUE(journal_->Append(kRollout, lease, {"record " + std::to_string(i)}).ok());
    }
    Keep(path_, kept_db_ = folder_ / "kept.db");
    Keep(LogOf(path_), kept_log_ = folder_ / "kept.log");
    frames_ = (fs::file_size(kept_log_) - 32) / kFrame;
  }
  static fs::path LogOf(const fs::path& database) { return database.string() + "-wal"; }
  static void Keep(const fs::path& from, const fs::path& to) {
    fs::copy_file(from, to, fs::copy_options::overwrite_existing);
  }
  // The disk as it was at the crash.
  void Crash() {
    Close();
    Keep(kept_db_, path_);
    Keep(kept_log_, LogOf(path_));
  }
  std::size_t RecordsLeft() { return journal_->Read(kRollout, 1)->size(); }

  fs::path kept_db_, kept_log_;
  std::uint64_t frames_ = 0;
};

TEST_F(SqliteLogTest, CrashLosesNothing) {
  Crash();
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(RecordsLeft(), kRecords);
}

// At every length: a prefix of what was appended, and nothing else is lost than the torn end.
TEST_F(SqliteLogTest, TornEndIsCut) {
  const std::uint64_t size = fs::file_size(kept_log_);
  for (std::uint64_t cut = 1; cut < 3 * kFrame; cut += 977) {
    Crash();
    fs::resize_file(LogOf(path_), size - cut);
    ASSERT_TRUE(Open().ok()) << cut;
    EXPECT_GE(RecordsLeft(), kRecords - 3u);
    EXPECT_LT(RecordsLeft(), std::size_t{kRecords});
  }
}

TEST_F(SqliteLogTest, BadFrameInTheMiddleIsRefusedWithItsPlace) {
  ASSERT_GT(frames_, 20u);
  for (std::uint64_t frame = 0; frame + 3 < frames_; ++frame) {
    Crash();
    Flip(LogOf(path_), 32 + frame * kFrame + 24 + 100);
    const absl::Status status = Open();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << "frame " << frame;
    EXPECT_THAT(status.message(), HasSubstr("frame " + std::to_string(frame + 1) + " at byte"));
  }
}

TEST_F(SqliteLogTest, BadHeaderIsRefusedAndNotTakenForAnEmptyLog) {
  for (std::uint64_t byte = 0; byte < 32; ++byte) {
    Crash();
    Flip(LogOf(path_), byte);
    const absl::Status status = Open();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << "byte " << byte;
    EXPECT_THAT(status.message(), HasSubstr("its header is bad"));
  }
}

// The header is synced before the first frame: without a sound one there may be room, and no frame.
TEST_F(SqliteLogTest, LogWhoseHeaderNeverReachedTheDiskIsEmpty) {
  const std::string header(32, '\0');
  for (const std::string& log :
       {std::string(), header.substr(0, 7), header, header + header, header.substr(1) + "x"}) {
    Crash();
    std::ofstream(LogOf(path_), std::ios::trunc | std::ios::binary) << log;
    EXPECT_TRUE(Open().ok()) << log.size();
  }
}

TEST_F(SqliteLogTest, BadFrameAtTheEndIsATornEnd) {
  Crash();
  Flip(LogOf(path_), 32 + (frames_ - 1) * kFrame + 24 + 100);
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(RecordsLeft(), kRecords - 1u);
}

// Wherever a bit falls over: refused with its place, or every record as it was (unused space).
TEST_F(SqliteTest, NoFlippedByteIsReadAsHistory) {
  Lease lease = Begin();
  for (int i = 0; i < 60; ++i) {
    ASSERT_TRUE(
        journal_->Append(kRollout, lease, {std::string(400, static_cast<char>('a' + i % 26))})
            .ok());
  }
  const std::vector<Record> sound = *journal_->Read(kRollout, 1);
  Close();
  const fs::path kept = folder_ / "kept.db";
  fs::copy_file(path_, kept);
  int refused = 0;
  for (std::uint64_t offset = 19; offset < fs::file_size(kept); offset += 211) {
    fs::copy_file(kept, path_, fs::copy_options::overwrite_existing);
    Flip(path_, offset);
    const absl::Status opened = Open();
    if (!opened.ok()) {
      ++refused;
      EXPECT_FALSE(opened.message().empty());
      continue;
    }
    EXPECT_EQ(*journal_->Read(kRollout, 1), sound) << "byte " << offset;
  }
  EXPECT_GT(refused, 50);
}

TEST_F(SqliteTest, ChangedMigrationIsRefused) {
  const std::vector<Migration> first = {{1, "CREATE TABLE a (x INTEGER) STRICT;"}};
  const std::vector<Migration> changed = {{1, "CREATE TABLE a (y INTEGER) STRICT;"}};
  ASSERT_TRUE(SqliteDatabase::Open({path_, "", nullptr}, first).ok());
  EXPECT_TRUE(SqliteDatabase::Open({path_, "", nullptr}, first).ok());
  const auto refused = SqliteDatabase::Open({path_, "", nullptr}, changed);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(refused.status().message(), HasSubstr("migration 1"));
}

TEST_F(SqliteTest, DatabaseOfANewerProgramIsRefused) {
  const std::vector<Migration> both = {{1, "CREATE TABLE a (x INTEGER) STRICT;"},
                                       {2, "CREATE TABLE b (x INTEGER) STRICT;"}};
  ASSERT_TRUE(SqliteDatabase::Open({path_, "", nullptr}, both).ok());
  const auto refused = SqliteDatabase::Open({path_, "", nullptr}, {both[0]});
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(refused.status().message(), HasSubstr("newer slipway-controller"));
}

TEST_F(SqliteTest, MigrationThatFailsLeavesNothing) {
  const std::vector<Migration> broken = {{1, "CREATE TABLE a (x INTEGER) STRICT; nonsense;"}};
  const std::vector<Migration> sound = {{1, "CREATE TABLE a (x INTEGER) STRICT;"}};
  EXPECT_FALSE(SqliteDatabase::Open({path_, "", nullptr}, broken).ok());
  EXPECT_TRUE(SqliteDatabase::Open({path_, "", nullptr}, sound).ok());
}

}  // namespace
}  // namespace slipway::controller
