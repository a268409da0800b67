#include "controller/registry/postgres_store.h"

#include <utility>

#include "common/status_macros.h"
#include "controller/journal/chain.h"
#include "controller/registry/refusals.h"

namespace slipway::controller {

absl::StatusOr<std::unique_ptr<PostgresStore>> PostgresStore::Open(PostgresOptions options) {
  SLIPWAY_ASSIGN_OR_RETURN(std::unique_ptr<PostgresDatabase> database,
                           PostgresDatabase::Open(std::move(options)));
  SLIPWAY_ASSIGN_OR_RETURN(std::unique_ptr<PostgresJournal> journal,
                           PostgresJournal::Open(*database));
  return std::unique_ptr<PostgresStore>(new PostgresStore(std::move(database), std::move(journal)));
}

absl::StatusOr<Lease> PostgresStore::CreateRollout(const NewRollout& rollout) {
  Lease lease;
  SLIPWAY_RETURN_IF_ERROR(database_->Run([&](PostgresTransaction& transaction) -> absl::Status {
    SLIPWAY_ASSIGN_OR_RETURN(lease, PostgresJournal::AcquireIn(transaction, rollout.id));
    if (lease.next != 1) return RolloutExists(rollout.id);
    SLIPWAY_RETURN_IF_ERROR(PostgresRegistry::ReserveIn(transaction, rollout));
    const std::vector<Record> records = Chained(rollout.id, lease, {rollout.first_record});
    SLIPWAY_RETURN_IF_ERROR(PostgresJournal::AppendIn(transaction, {rollout.id, lease, records}));
    lease.next = 2;
    lease.head = records.back().head;
    return absl::OkStatus();
  }));
  return lease;
}

}  // namespace slipway::controller
