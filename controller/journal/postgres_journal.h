// The journal in PostgreSQL: docs/formats/journal.md.
#pragma once

#include <memory>

#include "controller/journal/journal.h"
#include "controller/journal/postgres_database.h"

namespace slipway::controller {

// Thread-safe. Appends that wait at the same time share one statement and one commit.
class PostgresJournal final : public Journal {
 public:
  // `database` outlives the journal. Verifies every rollout's chain.
  // Errors: DATA_LOSS names the first rollout and event that do not hold.
  static absl::StatusOr<std::unique_ptr<PostgresJournal>> Open(PostgresDatabase& database);

  absl::StatusOr<Lease> Acquire(const RolloutId& rollout) override;
  absl::Status Append(const RolloutId& rollout, Lease& lease,
                      const std::vector<std::string>& records) override;
  absl::StatusOr<std::vector<Record>> Read(const RolloutId& rollout, std::uint64_t first) override;
  absl::StatusOr<std::vector<RolloutId>> List() override;

  // Steps of the above for a transaction that does more than one thing.
  static absl::StatusOr<Lease> AcquireIn(PostgresTransaction& transaction,
                                         const RolloutId& rollout);
  static absl::Status AppendIn(PostgresTransaction& transaction, const PostgresAppend& append);

 private:
  explicit PostgresJournal(PostgresDatabase& database) : database_(database) {}

  PostgresDatabase& database_;
};

}  // namespace slipway::controller
