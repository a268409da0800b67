// One transaction of a PostgreSQL store, with the same words as SqliteConnection: what runs on both
// is written once (controller/registry/sql_registry.cc).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "controller/journal/postgres_lease.h"

namespace slipway::controller {

class PostgresTransaction;

// A run of one statement: bind from left to right, then Next() until false, or Run().
class PostgresQuery {
 public:
  PostgresQuery(PostgresTransaction& transaction, const char* sql)
      : transaction_(transaction), sql_(sql) {}

  PostgresQuery& Int(std::int64_t value);
  PostgresQuery& Uint(std::uint64_t value) { return Int(static_cast<std::int64_t>(value)); }
  PostgresQuery& Text(std::string_view value);
  PostgresQuery& Blob(std::string_view value);

  // True: there is a row. False: there is none left.
  absl::StatusOr<bool> Next();
  absl::Status Run();

  std::int64_t IntAt(int column) const { return rows_.IntAt(row_, column); }
  std::uint64_t UintAt(int column) const { return rows_.UintAt(row_, column); }
  std::string_view At(int column) const { return rows_.At(row_, column); }
  std::string TextAt(int column) const { return std::string(At(column)); }
  std::string BlobAt(int column) const { return rows_.BlobAt(row_, column); }

 private:
  PostgresTransaction& transaction_;
  const char* const sql_;
  std::vector<std::string> parameters_;
  PostgresRows rows_;
  int row_ = -2;  // not run yet
};

// Used by one thread at a time.
class PostgresTransaction {
 public:
  // All outlive the transaction.
  PostgresTransaction(PostgresConnection& connection, const PostgresLease& lease)
      : connection_(connection), lease_(lease) {}

  // Before anything else.
  absl::Status Begin() { return connection_.Execute("BEGIN").status(); }
  // A statement of constant text; `?`, or `?1`, `?2`, …, stand for its parameters.
  PostgresQuery Prepare(const char* sql) { return {*this, sql}; }
  // Statements of a transaction's inside.
  absl::Status Execute(const std::string& script) { return connection_.Execute(script).status(); }
  // Before the first write: fails when this process does not drive the store any more.
  absl::Status CheckLease();

  // By which the server knows it; "" before the first write.
  const std::string& id() const { return id_; }
  PostgresConnection& connection() { return connection_; }
  const PostgresLease& lease() const { return lease_; }

 private:
  friend class PostgresQuery;
  absl::StatusOr<PostgresRows> Query(const char* sql, const std::vector<std::string>& parameters);

  PostgresConnection& connection_;
  const PostgresLease& lease_;
  std::string id_;
};

}  // namespace slipway::controller
