// Who drives a PostgreSQL store: one row, timed by the server's clock, renewed on a connection of
// its own so that a slow statement does not cost the lease.
//
// Whoever takes the lease raises its epoch. Every transaction that writes holds a key-share lock on
// the row with its own epoch: a holder that was overtaken can write nothing any more, and whoever
// overtakes waits for what is being committed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/clock.h"
#include "common/mutex.h"
#include "controller/journal/postgres_connection.h"

namespace slipway::controller {

struct PostgresOptions {
  PostgresAddress address;
  PostgresLimits limits;
  const Clock* clock = nullptr;             // nullptr: the machine's; outlives the store
  absl::Duration lease = absl::Seconds(5);  // without renewal; renewed five times in it
  // How long opening waits for a server that is absent and for a holder that may be dead.
  absl::Duration patience = absl::Seconds(30);
  // Called once when another holder took the lease. Must not return in production: the default logs
  // and ends the process with status 70. When it returns, the store refuses everything from then
  // on.
  std::function<void(const absl::Status&)> on_lost_lease;
};

// Thread-safe.
class PostgresLease {
 public:
  // Waits until the lease is free. `guard` outlives the lease; `lost` is called once, on the
  // lease's thread. Errors: UNAVAILABLE (no server, or who holds it), FAILED_PRECONDITION as of
  // CheckPostgres.
  static absl::StatusOr<std::unique_ptr<PostgresLease>> Take(
      const PostgresOptions& options, CallGuard& guard,
      std::function<void(const absl::Status&)> lost);
  // Gives it back, if the server answers.
  ~PostgresLease();

  // Parameters of `lease.epoch = $1 AND lease.holder = $2`.
  const std::string& epoch() const { return epoch_; }
  const std::string& holder() const { return holder_; }
  // "" or why it was not renewed for longer than it should be.
  std::string Trouble() const;
  // What a transaction finds that does not hold it any more.
  absl::Status Lost() const;

 private:
  PostgresLease(const PostgresOptions& options, CallGuard& guard);
  absl::Status TryToTake();
  absl::Status Connect();
  // False: another holder took it.
  absl::StatusOr<bool> Renew();
  void Loop();

  const PostgresOptions options_;
  const Clock& clock_;
  CallGuard& guard_;
  const std::string holder_, about_;
  std::function<void(const absl::Status&)> lost_;
  std::string epoch_;                               // constant once taken
  std::unique_ptr<PostgresConnection> connection_;  // of the thread once it runs
  mutable Mutex mu_;
  CondVar closing_changed_;
  std::string trouble_ ABSL_GUARDED_BY(mu_);
  bool closing_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace slipway::controller
