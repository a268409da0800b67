#include "controller/journal/sqlite_database.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/status_macros.h"
#include "controller/journal/sqlite_wal.h"

namespace slipway::controller {
namespace {

constexpr int kLostFsyncExit = 70;  // EX_SOFTWARE

void EndProcess(const absl::Status& reason) {
  log::Error("an fsync failed: ending, since nobody can tell what is on the disk",
             {{"error", reason.ToString()}});
  _exit(kLostFsyncExit);
}

// SQLite would make the file readable for all. A file that is there is left alone: closing it
// again would drop the locks that this process may hold on it.
absl::Status MakePrivateFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0 && errno == EEXIST) return absl::OkStatus();
  if (fd < 0) {
    return absl::UnavailableError(
        absl::StrCat("cannot make database ", path, ": ", std::strerror(errno)));
  }
  close(fd);
  return absl::OkStatus();
}

absl::Status Configure(SqliteConnection& connection) {
  // EXCLUSIVE before WAL: the log's index then lives in this process and in no shared file.
  SLIPWAY_RETURN_IF_ERROR(connection.Execute(
      "PRAGMA locking_mode=EXCLUSIVE; PRAGMA mmap_size=0; PRAGMA trusted_schema=OFF;"
      "PRAGMA cell_size_check=ON; PRAGMA foreign_keys=ON; PRAGMA synchronous=FULL;"
      "PRAGMA journal_size_limit=67108864; PRAGMA cache_size=-16384"));
  SqliteQuery mode = connection.Prepare("PRAGMA journal_mode=WAL");
  SLIPWAY_ASSIGN_OR_RETURN(const bool row, mode.Next());
  if (!row || mode.At(0) != "wal") {
    return absl::UnavailableError("the database cannot use a write-ahead log on this file system");
  }
  return absl::OkStatus();
}

absl::Status CheckIntegrity(SqliteConnection& connection, const std::string& path) {
  SqliteQuery query = connection.Prepare("PRAGMA integrity_check(3)");
  std::string complaints;
  SLIPWAY_ASSIGN_OR_RETURN(bool more, query.Next());
  while (more) {
    if (query.At(0) != "ok") absl::StrAppend(&complaints, "; ", query.TextAt(0));
    SLIPWAY_ASSIGN_OR_RETURN(more, query.Next());
  }
  if (complaints.empty()) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat("database ", path, " is damaged", complaints, "; restore it from a backup"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteDatabase>> SqliteDatabase::Open(
    SqliteOptions options, const std::vector<Migration>& migrations) {
  if (!options.on_lost_fsync) options.on_lost_fsync = EndProcess;
  // A VFS of its own makes its files itself.
  if (options.vfs.empty()) SLIPWAY_RETURN_IF_ERROR(MakePrivateFile(options.path));
  SLIPWAY_RETURN_IF_ERROR(CheckWriteAheadLog(options.path, options.vfs));
  SLIPWAY_ASSIGN_OR_RETURN(std::unique_ptr<SqliteConnection> connection,
                           SqliteConnection::Open(options.path, options.vfs));
  SLIPWAY_RETURN_IF_ERROR(Configure(*connection));
  SLIPWAY_RETURN_IF_ERROR(CheckIntegrity(*connection, options.path));
  SLIPWAY_RETURN_IF_ERROR(MigrateSqlite(*connection, migrations));
  return std::unique_ptr<SqliteDatabase>(
      new SqliteDatabase(std::move(options), std::move(connection)));
}

SqliteDatabase::SqliteDatabase(SqliteOptions options, std::unique_ptr<SqliteConnection> connection)
    : options_(std::move(options)),
      connection_(std::move(connection)),
      thread_([this] { Loop(); }) {}

SqliteDatabase::~SqliteDatabase() {
  {
    MutexLock lock(mu_);
    closing_ = true;
    work_arrived_.NotifyAll();
  }
  thread_.join();
}

absl::Status SqliteDatabase::Run(absl::FunctionRef<absl::Status(SqliteConnection&)> work) {
  Job job{work, {}};
  std::shared_ptr<Group> group;
  {
    MutexLock lock(mu_);
    group = waiting_;
    group->jobs.push_back(&job);
  }
  work_arrived_.NotifyOne();
  MutexLock lock(group->mu);
  while (!group->done) group->finished.Wait(group->mu);
  return job.status;
}

void SqliteDatabase::Loop() {
  while (const std::shared_ptr<Group> group = Take()) {
    RunTogether(group->jobs);
    DieIfFsyncWasLost();
    if (!dead_.ok()) {
      for (Job* job : group->jobs) job->status = dead_;
    }
    Answer(*group);
    CheckpointWhenDue();
  }
}

std::shared_ptr<SqliteDatabase::Group> SqliteDatabase::Take() {
  MutexLock lock(mu_);
  while (waiting_->jobs.empty() && !closing_) work_arrived_.Wait(mu_);
  if (waiting_->jobs.empty()) return nullptr;
  return std::exchange(waiting_, std::make_shared<Group>());
}

// One wake for all, behind the lock: a waiter that finds it taken sleeps a second time.
void SqliteDatabase::Answer(Group& group) {
  {
    MutexLock lock(group.mu);
    group.done = true;
  }
  group.finished.NotifyAll();
}

// A transaction that is lost as a whole (a full disk) is nobody's fault in particular: each job
// then has one of its own, so that a small append goes through where a big one does not.
void SqliteDatabase::RunTogether(const std::vector<Job*>& jobs) {
  if (!dead_.ok()) return;
  absl::Status reason;
  if (RunTransaction(jobs, reason) || connection_->lost_fsync()) return;
  for (Job* job : jobs) {
    if (jobs.size() > 1 && !connection_->lost_fsync() && RunTransaction({job}, reason)) continue;
    job->status = reason;
  }
}

bool SqliteDatabase::RunTransaction(const std::vector<Job*>& jobs, absl::Status& reason) {
  reason = connection_->Prepare("BEGIN IMMEDIATE").Run();
  if (!reason.ok()) return false;
  for (Job* job : jobs) {
    job->status = RunInSavepoint(*job);
    if (!connection_->InTransaction()) {
      reason = job->status.ok() ? absl::UnavailableError("the transaction was lost") : job->status;
      return false;
    }
  }
  reason = connection_->Prepare("COMMIT").Run();
  if (!reason.ok() && connection_->InTransaction()) {
    connection_->Prepare("ROLLBACK").Run().IgnoreError();
  }
  return reason.ok();
}

absl::Status SqliteDatabase::RunInSavepoint(Job& job) {
  SLIPWAY_RETURN_IF_ERROR(connection_->Prepare("SAVEPOINT job").Run());
  absl::Status status = job.work(*connection_);
  if (!connection_->InTransaction()) return status;
  absl::Status closed;
  if (!status.ok()) closed = connection_->Prepare("ROLLBACK TO job").Run();
  closed.Update(connection_->Prepare("RELEASE job").Run());
  // What cannot be undone alone is undone with everything else.
  if (!closed.ok() && connection_->InTransaction()) {
    connection_->Prepare("ROLLBACK").Run().IgnoreError();
  }
  return status.ok() ? closed : status;
}

void SqliteDatabase::CheckpointWhenDue() {
  if (!dead_.ok() || connection_->wal_pages() < options_.checkpoint_pages) return;
  if (absl::Status status = connection_->Checkpoint(); !status.ok()) {
    log::Warn("checkpoint failed, the write-ahead log stays", {{"error", status.ToString()}});
  }
  DieIfFsyncWasLost();
}

void SqliteDatabase::DieIfFsyncWasLost() {
  if (!connection_->lost_fsync() || !dead_.ok()) return;
  dead_ = absl::InternalError(
      absl::StrCat("database ", options_.path, ": an fsync failed; start the controller again"));
  options_.on_lost_fsync(dead_);
}

}  // namespace slipway::controller
