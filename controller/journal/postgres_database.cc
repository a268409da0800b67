#include "controller/journal/postgres_database.h"

#include <unistd.h>

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/status_macros.h"

namespace slipway::controller {
namespace {

constexpr std::size_t kLargestGroup = 512;
// Of a transaction that clashed, or whose connection had gone stale.
constexpr int kAttempts = 3;
// Who asks a server that is not there is answered at once for so long.
constexpr absl::Duration kBetweenConnects = absl::Milliseconds(250);
constexpr int kLostLeaseExit = 70;  // EX_SOFTWARE

void EndProcess(const absl::Status& reason) {
  log::Error("the store was taken: ending, since another controller drives the rollouts",
             {{"error", reason.ToString()}});
  _exit(kLostLeaseExit);
}

// What callers are told to do about it.
absl::Status ForCaller(const absl::Status& status) {
  return absl::IsAborted(status) ? absl::UnavailableError(status.message()) : status;
}

}  // namespace

absl::StatusOr<std::unique_ptr<PostgresDatabase>> PostgresDatabase::Open(PostgresOptions options) {
  if (!options.on_lost_lease) options.on_lost_lease = EndProcess;
  std::unique_ptr<PostgresDatabase> database(new PostgresDatabase(std::move(options)));
  SLIPWAY_ASSIGN_OR_RETURN(
      database->lease_,
      PostgresLease::Take(database->options_, database->guard_,
                          [raw = database.get()](const absl::Status& why) { raw->Die(why); }));
  database->thread_ = std::thread([raw = database.get()] { raw->Loop(); });
  return database;
}

PostgresDatabase::PostgresDatabase(PostgresOptions options)
    : options_(std::move(options)),
      clock_(options_.clock == nullptr ? SystemClock() : *options_.clock),
      guard_(clock_) {}

PostgresDatabase::~PostgresDatabase() {
  if (!thread_.joinable()) return;
  {
    MutexLock lock(mu_);
    closing_ = true;
    work_arrived_.NotifyAll();
  }
  thread_.join();
}

absl::Status PostgresDatabase::Run(Work work) {
  Job job;
  job.work = &work;
  return RunJob(job);
}

absl::Status PostgresDatabase::Append(const PostgresAppend& append) {
  Job job;
  job.append = &append;
  return RunJob(job);
}

absl::Status PostgresDatabase::RunJob(Job& job) {
  MutexLock lock(mu_);
  waiting_.push_back(&job);
  work_arrived_.NotifyOne();
  while (!job.done) job.finished.Wait(mu_);
  return ForCaller(job.status);
}

std::string PostgresDatabase::Trouble() const {
  return lease_->Trouble();
}

void PostgresDatabase::Loop() {
  for (Jobs jobs = Take(); !jobs.empty(); jobs = Take()) {
    Execute(jobs);
    Answer(jobs);
  }
}

PostgresDatabase::Jobs PostgresDatabase::Take() {
  MutexLock lock(mu_);
  while (waiting_.empty() && !closing_) work_arrived_.Wait(mu_);
  Jobs jobs, later;
  std::set<std::string_view> rollouts;
  for (Job* job : waiting_) {
    const bool fits = jobs.size() < kLargestGroup &&
                      (job->append == nullptr || rollouts.insert(job->append->rollout.text).second);
    (fits ? jobs : later).push_back(job);
  }
  waiting_.swap(later);
  return jobs;
}

void PostgresDatabase::Execute(const Jobs& jobs) {
  const absl::Status dead = [this] {
    MutexLock lock(mu_);
    return dead_;
  }();
  Jobs appends, works;
  for (Job* job : jobs) {
    job->status = dead;
    (job->append != nullptr ? appends : works).push_back(job);
  }
  if (!dead.ok()) return;
  if (!appends.empty()) RunAppends(appends);
  if (!works.empty()) RunWorks(works);
}

void PostgresDatabase::Answer(const Jobs& jobs) {
  MutexLock lock(mu_);
  for (Job* job : jobs) {
    job->done = true;
    job->finished.NotifyOne();
  }
}

absl::Status PostgresDatabase::Connect() {
  if (connection_ != nullptr && !connection_->lost()) return absl::OkStatus();
  connection_.reset();
  if (clock_.Monotonic() < refused_until_) return refused_;
  auto connection = PostgresConnection::Open(options_.address, options_.limits, guard_);
  if (!connection.ok()) {
    refused_ = connection.status();
    refused_until_ = clock_.Monotonic() + kBetweenConnects;
    return refused_;
  }
  connection_ = *std::move(connection);
  return absl::OkStatus();
}

// A statement that fails as a whole (a full disk) is nobody's fault in particular: each append then
// has one of its own, so that a small one goes through where a big one does not.
void PostgresDatabase::RunAppends(const Jobs& jobs) {
  const absl::Status tried = TryAppends(jobs);
  if (tried.ok()) return;
  if (connection_ != nullptr && connection_->lost()) return Resolve(jobs, tried);
  for (Job* job : jobs) {
    job->status = connection_ != nullptr && jobs.size() > 1 ? TryAppends({job}) : tried;
    if (connection_ != nullptr && connection_->lost()) Resolve({job}, job->status);
  }
}

absl::Status PostgresDatabase::TryAppends(const Jobs& jobs) {
  SLIPWAY_RETURN_IF_ERROR(Connect());
  std::vector<const PostgresAppend*> appends;
  for (const Job* job : jobs) appends.push_back(job->append);
  const auto statuses = AppendTogether(*connection_, *lease_, appends);
  if (!statuses.ok()) {
    if (absl::IsFailedPrecondition(statuses.status())) Die(statuses.status());
    return statuses.status();
  }
  for (std::size_t i = 0; i < jobs.size(); ++i) jobs[i]->status = (*statuses)[i];
  return jobs.size() == 1 ? jobs[0]->status : absl::OkStatus();
}

void PostgresDatabase::Resolve(const Jobs& jobs, const absl::Status& reason) {
  const absl::Status connected = Connect();
  for (Job* job : jobs) {
    job->status =
        absl::Status(reason.code(), absl::StrCat("whether the events were written is not known: ",
                                                 std::string(reason.message())));
    if (!connected.ok() || connection_ == nullptr || connection_->lost()) continue;
    const absl::StatusOr<bool> there = IsAppended(*connection_, *job->append);
    if (!there.ok()) continue;
    log::Info("an answer of the store was lost, its outcome was looked up",
              {{"rollout", job->append->rollout.text}, {"written", *there ? "yes" : "no"}});
    job->status = *there ? absl::OkStatus() : TryAppends({job});
  }
}

void PostgresDatabase::RunWorks(const Jobs& jobs) {
  absl::Status reason;
  bool unknown = false;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    reason = RunTransaction(jobs, unknown);
    if (reason.ok()) return;
    const bool again = absl::IsAborted(reason) || (connection_ != nullptr && connection_->lost());
    if (unknown || !again) break;
  }
  if (jobs.size() > 1 && !unknown) {
    for (Job* job : jobs) RunWorks({job});
    return;
  }
  for (Job* job : jobs) job->status = reason;
}

absl::Status PostgresDatabase::RunTransaction(const Jobs& jobs, bool& unknown) {
  SLIPWAY_RETURN_IF_ERROR(Connect());
  PostgresTransaction transaction(*connection_, *lease_);
  SLIPWAY_RETURN_IF_ERROR(transaction.Begin());
  for (Job* job : jobs) {
    const bool alone = jobs.size() == 1;
    if (!alone) SLIPWAY_RETURN_IF_ERROR(transaction.Execute("SAVEPOINT job"));
    job->status = (*job->work)(transaction);
    if (connection_->lost()) return job->status;
    if (!job->status.ok() && alone) {
      transaction.Execute("ROLLBACK").IgnoreError();
      return absl::IsAborted(job->status) ? job->status : absl::OkStatus();
    }
    if (alone) continue;
    const char* const end = job->status.ok() ? "RELEASE job" : "ROLLBACK TO job; RELEASE job";
    SLIPWAY_RETURN_IF_ERROR(transaction.Execute(end));
  }
  return Commit(transaction, unknown);
}

// The server knows what became of a transaction by its id.
absl::Status PostgresDatabase::Commit(PostgresTransaction& transaction, bool& unknown) {
  const absl::Status committed = transaction.Execute("COMMIT");
  if (committed.ok() || !connection_->lost()) {
    if (!committed.ok()) transaction.Execute("ROLLBACK").IgnoreError();
    return committed;
  }
  if (transaction.id().empty()) return committed;  // nothing was written
  unknown = true;
  const absl::Status in_doubt = absl::UnavailableError(
      absl::StrCat("whether it was written is not known: ", std::string(committed.message())));
  if (!Connect().ok()) return in_doubt;
  const auto fate = connection_->Query("SELECT pg_xact_status($1::xid8)", {transaction.id()});
  if (!fate.ok() || fate->size() == 0) return in_doubt;
  if (fate->At(0, 0) == "committed") return absl::OkStatus();
  if (fate->At(0, 0) != "aborted") return in_doubt;
  unknown = false;
  return absl::AbortedError(committed.message());
}

void PostgresDatabase::Die(const absl::Status& reason) {
  {
    MutexLock lock(mu_);
    if (!dead_.ok()) return;
    dead_ = reason;
  }
  options_.on_lost_lease(reason);
}

}  // namespace slipway::controller
