// One SQLite file: one connection that does every read, write and checkpoint, on one thread.
//
// Callers hand over work and wait. What waits at the same time shares one transaction, and so one
// fsync; each piece of work has its own outcome in it.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/mutex.h"
#include "controller/journal/sqlite_connection.h"
#include "controller/journal/sqlite_schema.h"

namespace slipway::controller {

struct SqliteOptions {
  std::string path;  // made with mode 0600 when it is not there
  std::string vfs;   // for tests: a SQLite VFS; "" = the system's
  // Called once when an fsync failed. Must not return in production: the default logs and ends the
  // process with status 70. When it returns, the database refuses everything from then on.
  std::function<void(const absl::Status&)> on_lost_fsync;
  // The write-ahead log is moved into the database when it has grown to so many pages. 16 MiB at
  // the default page size; a checkpoint costs two fsyncs.
  int checkpoint_pages = 4000;
};

// Thread-safe.
class SqliteDatabase {
 public:
  // Opens, checks the whole file and brings the tables up to date.
  // Errors: DATA_LOSS (damaged, with the place), FAILED_PRECONDITION (another version made it),
  // UNAVAILABLE (another process has it open, no permission), RESOURCE_EXHAUSTED.
  static absl::StatusOr<std::unique_ptr<SqliteDatabase>> Open(
      SqliteOptions options, const std::vector<Migration>& migrations = SqliteMigrations());
  // Every Run() has returned by then.
  ~SqliteDatabase();

  // Runs `work` inside a transaction and returns its status once the transaction is durable. An
  // error of `work` undoes all that it did, and nothing that others did. `work` runs a second time
  // when the shared transaction failed: it sets its results and does not add to them.
  absl::Status Run(absl::FunctionRef<absl::Status(SqliteConnection&)> work);

 private:
  struct Job {
    absl::FunctionRef<absl::Status(SqliteConnection&)> work;
    absl::Status status;
  };
  // What waits at the same time. Each waiter holds it, so that it outlives the answer.
  struct Group {
    std::vector<Job*> jobs;  // on the stacks of the waiters
    Mutex mu;  // not the database's: a whole group wakes at once and would queue for it
    CondVar finished;
    bool done ABSL_GUARDED_BY(mu) = false;  // each job has its status
  };

  SqliteDatabase(SqliteOptions options, std::unique_ptr<SqliteConnection> connection);
  void Loop();
  // Waits for work; nullptr when the database closes.
  std::shared_ptr<Group> Take();
  static void Answer(Group& group);
  void RunTogether(const std::vector<Job*>& jobs);
  // One transaction around `jobs`. False: it was lost as a whole, for `reason`.
  bool RunTransaction(const std::vector<Job*>& jobs, absl::Status& reason);
  absl::Status RunInSavepoint(Job& job);
  void CheckpointWhenDue();
  // After this nothing is believed any more.
  void DieIfFsyncWasLost();

  const SqliteOptions options_;
  const std::unique_ptr<SqliteConnection> connection_;  // only on thread_ while it runs
  absl::Status dead_;                                   // only on thread_
  Mutex mu_;
  CondVar work_arrived_;
  std::shared_ptr<Group> waiting_ ABSL_GUARDED_BY(mu_) = std::make_shared<Group>();
  bool closing_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace slipway::controller
