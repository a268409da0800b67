// Brings a database to the tables that this program knows: docs/formats/journal.md.
#pragma once

#include <vector>

#include "controller/journal/migration.h"
#include "controller/journal/sqlite_connection.h"

namespace slipway::controller {

// Those of controller/journal/schema, in order.
const std::vector<Migration>& SqliteMigrations();

// Applies what is missing, each migration in a transaction of its own.
// Errors: FAILED_PRECONDITION when an applied migration had another text, or when the database has
// more of them than `migrations`: another version of the program made it.
absl::Status MigrateSqlite(SqliteConnection& connection, const std::vector<Migration>& migrations);

}  // namespace slipway::controller
