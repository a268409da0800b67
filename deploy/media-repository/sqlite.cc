#include "deploy/media-repository/sqlite.h"

#include <sqlite3.h>

#include "absl/strings/str_cat.h"

namespace media::sqlite {
namespace {

absl::Status ToStatus(sqlite3* db, int code) {
  if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW) return absl::OkStatus();
  const std::string text = absl::StrCat("database: ", sqlite3_errmsg(db));
  switch (code & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::UnavailableError(text);
    case SQLITE_FULL:
      return absl::ResourceExhaustedError(text);
    case SQLITE_CONSTRAINT:
      return absl::AlreadyExistsError(text);
    default:
      return absl::InternalError(text);
  }
}

}  // namespace

void CloseConnection::operator()(sqlite3* db) const {
  sqlite3_close(db);
}

absl::StatusOr<Connection> Open(const std::string& path, int busy_ms) {
  sqlite3* raw = nullptr;
  constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  const int code = sqlite3_open_v2(path.c_str(), &raw, kFlags, nullptr);
  Connection db(raw);  // Also after an error there is a handle to close.
  if (code != SQLITE_OK) {
    return absl::UnavailableError(
        absl::StrCat("cannot open database ", path, ": ", sqlite3_errmsg(raw)));
  }
  sqlite3_extended_result_codes(raw, 1);
  sqlite3_busy_timeout(raw, busy_ms);
  return db;
}

absl::Status Execute(sqlite3* db, const char* sql) {
  return ToStatus(db, sqlite3_exec(db, sql, nullptr, nullptr, nullptr));
}

Statement::Statement(sqlite3* db, const std::string& sql) : db_(db) {
  error_ = sqlite3_prepare_v2(db, sql.c_str(), static_cast<int>(sql.size()), &statement_, nullptr);
}

Statement::~Statement() {
  sqlite3_finalize(statement_);
}

Statement& Statement::Bind(absl::string_view text) {
  if (error_ == SQLITE_OK) {
    error_ = sqlite3_bind_text(statement_, ++bound_, text.data(), static_cast<int>(text.size()),
                               SQLITE_TRANSIENT);
  }
  return *this;
}

Statement& Statement::Bind(std::int64_t number) {
  if (error_ == SQLITE_OK) error_ = sqlite3_bind_int64(statement_, ++bound_, number);
  return *this;
}

Statement& Statement::BindNull() {
  if (error_ == SQLITE_OK) error_ = sqlite3_bind_null(statement_, ++bound_);
  return *this;
}

absl::StatusOr<bool> Statement::Step() {
  if (error_ != SQLITE_OK) return ToStatus(db_, error_);
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return ToStatus(db_, code);
}

std::string Statement::Text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return text == nullptr ? "" : std::string(text, sqlite3_column_bytes(statement_, column));
}

std::int64_t Statement::Number(int column) const {
  return sqlite3_column_int64(statement_, column);
}

Transaction::~Transaction() {
  // A rollback that fails leaves nothing to do: SQLite has rolled back by itself.
  if (open_) Execute(db_, "ROLLBACK").IgnoreError();
}

absl::Status Transaction::Begin() {
  const absl::Status begun = Execute(db_, "BEGIN IMMEDIATE");
  open_ = begun.ok();
  return begun;
}

absl::Status Transaction::Commit() {
  const absl::Status committed = Execute(db_, "COMMIT");
  // After a COMMIT that was refused as busy the transaction is still open.
  open_ = !committed.ok();
  return committed;
}

}  // namespace media::sqlite
