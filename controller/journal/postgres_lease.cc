#include "controller/journal/postgres_lease.h"

#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/random.h"
#include "common/status_macros.h"
#include "controller/journal/postgres_schema.h"

namespace slipway::controller {
namespace {

constexpr absl::Duration kTryAgain = absl::Milliseconds(200);
constexpr int kRenewalsInALease = 5;
// Of the lease: after this much of it without a renewal, people are told.
constexpr double kTrouble = 0.6;

std::string ThisProcess() {
  char name[256] = "";
  gethostname(name, sizeof name - 1);
  return absl::StrCat("process ", getpid(), " on ", name);
}

std::string RandomName() {
  return absl::StrCat(absl::Hex(RandomSeed(), absl::kZeroPad16),
                      absl::Hex(RandomSeed(), absl::kZeroPad16));
}

std::string Milliseconds(absl::Duration duration) {
  return absl::StrCat(absl::ToInt64Milliseconds(duration));
}

}  // namespace

PostgresLease::PostgresLease(const PostgresOptions& options, CallGuard& guard)
    : options_(options),
      clock_(options.clock == nullptr ? SystemClock() : *options.clock),
      guard_(guard),
      holder_(RandomName()),
      about_(ThisProcess()) {}

absl::StatusOr<std::unique_ptr<PostgresLease>> PostgresLease::Take(
    const PostgresOptions& options, CallGuard& guard,
    std::function<void(const absl::Status&)> lost) {
  std::unique_ptr<PostgresLease> lease(new PostgresLease(options, guard));
  const absl::Duration deadline = lease->clock_.Monotonic() + options.patience;
  for (bool said = false;; said = true) {
    const absl::Status taken = lease->TryToTake();
    if (taken.ok()) break;
    if (!absl::IsUnavailable(taken) || lease->clock_.Monotonic() > deadline) return taken;
    if (!said) log::Warn("waiting for the store", {{"error", taken.ToString()}});
    lease->clock_.Sleep(kTryAgain);
  }
  lease->lost_ = std::move(lost);
  lease->thread_ = std::thread([raw = lease.get()] { raw->Loop(); });
  return lease;
}

absl::Status PostgresLease::Connect() {
  if (connection_ != nullptr && !connection_->lost()) return absl::OkStatus();
  connection_.reset();
  SLIPWAY_ASSIGN_OR_RETURN(connection_,
                           PostgresConnection::Open(options_.address, options_.limits, guard_));
  return absl::OkStatus();
}

absl::Status PostgresLease::TryToTake() {
  SLIPWAY_RETURN_IF_ERROR(Connect());
  SLIPWAY_RETURN_IF_ERROR(CheckPostgres(*connection_));
  SLIPWAY_ASSIGN_OR_RETURN(
      const PostgresRows taken,
      connection_->Query("UPDATE lease SET epoch = epoch + 1, holder = $1, about = $2,"
                         " expires = clock_timestamp() + $3 * interval '1 millisecond'"
                         " WHERE expires < clock_timestamp() OR holder = $1 RETURNING epoch",
                         {holder_, about_, Milliseconds(options_.lease)}));
  if (taken.size() == 1) {
    epoch_ = taken.At(0, 0);
    return absl::OkStatus();
  }
  SLIPWAY_ASSIGN_OR_RETURN(const PostgresRows other,
                           connection_->Execute("SELECT about FROM lease"));
  return absl::UnavailableError(absl::StrCat(
      "another controller drives this store: ",
      other.size() == 0 ? std::string("nobody knows which") : std::string(other.At(0, 0)),
      "; stop it, or let this one wait as its stand-in"));
}

PostgresLease::~PostgresLease() {
  if (!thread_.joinable()) return;
  {
    MutexLock lock(mu_);
    closing_ = true;
    closing_changed_.NotifyAll();
  }
  thread_.join();
  if (connection_ == nullptr || connection_->lost()) return;
  connection_
      ->Query(
          "UPDATE lease SET expires = '-infinity', holder = ''"
          " WHERE epoch = $1 AND holder = $2",
          {epoch_, holder_})
      .IgnoreError();
}

absl::StatusOr<bool> PostgresLease::Renew() {
  SLIPWAY_RETURN_IF_ERROR(Connect());
  SLIPWAY_ASSIGN_OR_RETURN(const PostgresRows renewed,
                           connection_->Query("UPDATE lease SET expires ="
                                              " clock_timestamp() + $3 * interval '1 millisecond'"
                                              " WHERE epoch = $1 AND holder = $2 RETURNING epoch",
                                              {epoch_, holder_, Milliseconds(options_.lease)}));
  return renewed.size() == 1;
}

void PostgresLease::Loop() {
  absl::Duration renewed_at = clock_.Monotonic();
  for (;;) {
    {
      MutexLock lock(mu_);
      if (!closing_) closing_changed_.WaitFor(mu_, options_.lease / kRenewalsInALease);
      if (closing_) return;
    }
    const absl::Duration asked_at = clock_.Monotonic();
    const absl::StatusOr<bool> renewed = Renew();
    if (renewed.ok() && !*renewed) return lost_(Lost());
    if (renewed.ok()) renewed_at = asked_at;
    const bool late = clock_.Monotonic() - renewed_at > kTrouble * options_.lease;
    MutexLock lock(mu_);
    if (renewed.ok()) trouble_.clear();
    if (late && !renewed.ok()) trouble_ = std::string(renewed.status().message());
  }
}

std::string PostgresLease::Trouble() const {
  MutexLock lock(mu_);
  return trouble_;
}

absl::Status PostgresLease::Lost() const {
  return absl::FailedPreconditionError(
      absl::StrCat("another controller took the store from ", about_,
                   ": this one stops; see who holds it with `SELECT * FROM lease`"));
}

}  // namespace slipway::controller
