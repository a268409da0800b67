// Moves all that a controller remembers from its SQLite file into an empty PostgreSQL database.
#pragma once

#include <cstddef>

#include "absl/status/statusor.h"
#include "controller/journal/postgres_database.h"
#include "controller/journal/sqlite_database.h"

namespace slipway::controller {

struct StoreMove {
  std::size_t rollouts = 0, events = 0, rows = 0;  // rows: of all tables
  bool was_there = false;                          // an earlier run had moved it already
};

// One transaction: a run that is killed leaves nothing behind and may be repeated; repeating a
// whole one finds everything there. Every rollout's chain is verified in the source before and in
// the target after.
//
// Errors: DATA_LOSS with rollout and event; FAILED_PRECONDITION when the target holds anything
// else; those of PostgresDatabase::Run.
absl::StatusOr<StoreMove> MoveStore(SqliteDatabase& from, PostgresDatabase& to);

}  // namespace slipway::controller
