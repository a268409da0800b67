// The store that a controller's settings name: DIR/store.db, or a PostgreSQL database.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "controller/config.h"
#include "controller/registry/store.h"

namespace slipway::controller {

// Errors: those of SqliteStore::Open, or of PostgresStore::Open and ParsePostgresUrl.
absl::StatusOr<std::unique_ptr<Store>> OpenStore(const Config& config);

// Makes the tables of the PostgreSQL database that `config.store` names, as their owner, or brings
// them up to date, and lets role `service` do what a controller needs.
absl::Status PrepareStore(const Config& config, const std::string& service);

// Moves DIR/store.db into the PostgreSQL database that `config.store` names, writes that into the
// settings and keeps the file as DIR/store.db.moved. May be repeated when it was killed. Returns
// what to tell people. Errors: NOT_FOUND (no store.db); FAILED_PRECONDITION (a controller runs
// here, or the database is not empty); DATA_LOSS.
absl::StatusOr<std::string> MigrateStore(const Config& config);

}  // namespace slipway::controller
