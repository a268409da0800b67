// A PostgreSQL database as the store of one controller: one thread and one connection do every read
// and write, another connection keeps the lease.
//
// Callers hand over work and wait. Appends that wait at the same time share one statement, and
// other work that waits shares one transaction; each has its own outcome in it.
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/mutex.h"
#include "controller/journal/call_guard.h"
#include "controller/journal/postgres_append.h"
#include "controller/journal/postgres_lease.h"
#include "controller/journal/postgres_query.h"

namespace slipway::controller {

// Thread-safe.
class PostgresDatabase {
 public:
  // Checks the tables and takes the lease. Errors: those of PostgresLease::Take.
  static absl::StatusOr<std::unique_ptr<PostgresDatabase>> Open(PostgresOptions options);
  // Ends what waits, then gives the lease back.
  ~PostgresDatabase();

  // Runs `work` inside a transaction and returns its status once the transaction is durable. An
  // error of `work` undoes all that it did, and nothing that others did. `work` runs again when the
  // shared transaction failed: it sets its results and does not add to them.
  //
  // UNAVAILABLE: the server is absent, slow or was lost; nothing was written, unless the message
  // says that this is unknown. FAILED_PRECONDITION: another controller took the store.
  absl::Status Run(absl::FunctionRef<absl::Status(PostgresTransaction&)> work);

  // Errors: as Journal::Append. A commit whose answer was lost is looked up.
  absl::Status Append(const PostgresAppend& append);

  // "" or why nothing can be written now. Heals by itself.
  std::string Trouble() const;

 private:
  using Work = absl::FunctionRef<absl::Status(PostgresTransaction&)>;
  struct Job {
    const PostgresAppend* append = nullptr;  // or else:
    const Work* work = nullptr;
    absl::Status status;
    bool done = false;
    CondVar finished;
  };
  using Jobs = std::vector<Job*>;

  explicit PostgresDatabase(PostgresOptions options);
  absl::Status RunJob(Job& job);
  void Loop();
  // Waits for work; empty when the database closes. At most one append of each rollout.
  Jobs Take();
  void Execute(const Jobs& jobs);
  void RunAppends(const Jobs& jobs);
  absl::Status TryAppends(const Jobs& jobs);
  // After the answer to appends was lost: each is looked up, and made if it is not there.
  void Resolve(const Jobs& jobs, const absl::Status& reason);
  void RunWorks(const Jobs& jobs);
  // One transaction around `jobs`. An error: nobody's job is done, or nobody knows (`unknown`).
  absl::Status RunTransaction(const Jobs& jobs, bool& unknown);
  absl::Status Commit(PostgresTransaction& transaction, bool& unknown);
  absl::Status Connect();
  void Answer(const Jobs& jobs);
  void Die(const absl::Status& reason);

  const PostgresOptions options_;
  const Clock& clock_;
  CallGuard guard_;
  std::unique_ptr<PostgresLease> lease_;
  // Of thread_.
  std::unique_ptr<PostgresConnection> connection_;
  absl::Status refused_;  // the last attempt to connect
  absl::Duration refused_until_;

  mutable Mutex mu_;
  CondVar work_arrived_;
  Jobs waiting_ ABSL_GUARDED_BY(mu_);
  absl::Status dead_ ABSL_GUARDED_BY(mu_);
  bool closing_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace slipway::controller
