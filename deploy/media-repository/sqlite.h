// The few pieces of SQLite's C API that the catalogue needs, with owners and absl::Status.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

struct sqlite3;
struct sqlite3_stmt;

namespace media::sqlite {

struct CloseConnection {
  void operator()(sqlite3* db) const;
};
using Connection = std::unique_ptr<sqlite3, CloseConnection>;

// Opens or creates `path` for read and write. One thread at a time may use the connection.
// Statements wait up to `busy_ms` for other processes.
absl::StatusOr<Connection> Open(const std::string& path, int busy_ms);

// Runs one or several statements that return no rows.
absl::Status Execute(sqlite3* db, const char* sql);

// One prepared statement. Errors of Bind and of the preparation come out of Step.
//
// Errors: UNAVAILABLE when others held the database too long, RESOURCE_EXHAUSTED when the disk is
// full, ALREADY_EXISTS for a violated constraint, INTERNAL otherwise.
class Statement {
 public:
  Statement(sqlite3* db, const std::string& sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  // Fills the next `?`.
  Statement& Bind(absl::string_view text);
  Statement& Bind(std::int64_t number);
  Statement& BindNull();

  // True: a row is there. False: the statement is done.
  absl::StatusOr<bool> Step();

  std::string Text(int column) const;
  std::int64_t Number(int column) const;

 private:
  sqlite3* const db_;
  sqlite3_stmt* statement_ = nullptr;
  int error_ = 0;
  int bound_ = 0;
};

// BEGIN IMMEDIATE: the write lock is taken at once, since a reader that becomes a writer half-way
// cannot wait for another writer. Rolls back unless committed.
class Transaction {
 public:
  explicit Transaction(sqlite3* db) : db_(db) {}
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  absl::Status Begin();
  absl::Status Commit();

 private:
  sqlite3* const db_;
  bool open_ = false;
};

}  // namespace media::sqlite
