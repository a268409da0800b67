// The journal in SQLite: docs/formats/journal.md.
#pragma once

#include <memory>

#include "controller/journal/journal.h"
#include "controller/journal/sqlite_database.h"

namespace slipway::controller {

// Thread-safe. Appends that wait at the same time share one fsync.
class SqliteJournal final : public Journal {
 public:
  // `database` outlives the journal. Verifies every rollout's chain.
  // Errors: DATA_LOSS names the first rollout and record that do not hold.
  static absl::StatusOr<std::unique_ptr<SqliteJournal>> Open(SqliteDatabase& database);

  absl::StatusOr<Lease> Acquire(const RolloutId& rollout) override;
  absl::Status Append(const RolloutId& rollout, Lease& lease,
                      const std::vector<std::string>& records) override;
  absl::StatusOr<std::vector<Record>> Read(const RolloutId& rollout, std::uint64_t first) override;
  absl::StatusOr<std::vector<RolloutId>> List() override;

  // Steps of the above for a transaction that does more than one thing.
  static absl::StatusOr<Lease> AcquireIn(SqliteConnection& connection, const RolloutId& rollout);
  static absl::Status AppendIn(SqliteConnection& connection, const RolloutId& rollout,
                               const Lease& lease, const std::vector<Record>& records);

 private:
  explicit SqliteJournal(SqliteDatabase& database) : database_(database) {}

  SqliteDatabase& database_;
};

}  // namespace slipway::controller
