#include "controller/registry/sqlite_store.h"

#include <utility>

#include "common/status_macros.h"
#include "controller/journal/chain.h"
#include "controller/registry/refusals.h"

namespace slipway::controller {

absl::StatusOr<std::unique_ptr<SqliteStore>> SqliteStore::Open(SqliteOptions options) {
  SLIPWAY_ASSIGN_OR_RETURN(std::unique_ptr<SqliteDatabase> database,
                           SqliteDatabase::Open(std::move(options)));
  SLIPWAY_ASSIGN_OR_RETURN(std::unique_ptr<SqliteJournal> journal, SqliteJournal::Open(*database));
  return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(database), std::move(journal)));
}

absl::StatusOr<Lease> SqliteStore::CreateRollout(const NewRollout& rollout) {
  Lease lease;
  SLIPWAY_RETURN_IF_ERROR(database_->Run([&](SqliteConnection& connection) -> absl::Status {
    SLIPWAY_ASSIGN_OR_RETURN(lease, SqliteJournal::AcquireIn(connection, rollout.id));
    if (lease.next != 1) return RolloutExists(rollout.id);
    SLIPWAY_RETURN_IF_ERROR(SqliteRegistry::ReserveIn(connection, rollout));
    const std::vector<Record> records = Chained(rollout.id, lease, {rollout.first_record});
    SLIPWAY_RETURN_IF_ERROR(SqliteJournal::AppendIn(connection, rollout.id, lease, records));
    lease.next = 2;
    lease.head = records.back().head;
    return absl::OkStatus();
  }));
  return lease;
}

}  // namespace slipway::controller
