// The tables of a PostgreSQL store: made by their owner, checked by the service.
#pragma once

#include <string>
#include <vector>

#include "controller/journal/migration.h"
#include "controller/journal/postgres_connection.h"

namespace slipway::controller {

// Those of controller/journal/schema, in order.
const std::vector<Migration>& PostgresMigrations();

// As the tables' owner: applies what is missing, each migration in a transaction of its own, and
// lets `service` (a role) do what a controller needs and no more: events may be read and added.
// Repeating it is harmless. Errors: FAILED_PRECONDITION when an applied migration had another text,
// or when the database has more of them than `migrations`; those of PostgresConnection.
absl::Status PreparePostgres(PostgresConnection& connection, const std::string& service,
                             const std::vector<Migration>& migrations = PostgresMigrations());

// As the service: FAILED_PRECONDITION, with the remedy, when the tables are not exactly those of
// `migrations`, when this role may change events, or when the server does not keep what it
// acknowledged.
absl::Status CheckPostgres(PostgresConnection& connection,
                           const std::vector<Migration>& migrations = PostgresMigrations());

}  // namespace slipway::controller
