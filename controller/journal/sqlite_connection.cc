#include "controller/journal/sqlite_connection.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace slipway::controller {
namespace {

bool IsLostFsync(int code) {
  return code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC;
}

int RememberWalPages(void* pages, sqlite3*, const char*, int count) {
  *static_cast<int*>(pages) = count;
  return SQLITE_OK;
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteConnection>> SqliteConnection::Open(const std::string& path,
                                                                         const std::string& vfs) {
  sqlite3* db = nullptr;
  const int code = sqlite3_open_v2(
      path.c_str(), &db,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
      vfs.empty() ? nullptr : vfs.c_str());
  std::unique_ptr<SqliteConnection> connection(new SqliteConnection(db, path));
  if (code != SQLITE_OK) return connection->ToStatus(code);
  // Checkpoints are ours: the automatic one swallows its fsync errors.
  sqlite3_wal_hook(db, RememberWalPages, &connection->wal_pages_);
  return connection;
}

SqliteConnection::~SqliteConnection() {
  for (const auto& [text, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(db_);
}

SqliteQuery SqliteConnection::Prepare(const char* sql) {
  const auto [entry, fresh] = statements_.try_emplace(sql, nullptr);
  int code = SQLITE_OK;
  if (fresh) {
    code = sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, &entry->second, nullptr);
  }
  sqlite3_stmt* const statement = entry->second;
  if (code != SQLITE_OK) statements_.erase(entry);
  return SqliteQuery(*this, statement, code);
}

absl::Status SqliteConnection::Execute(const std::string& script) {
  return ToStatus(sqlite3_exec(db_, script.c_str(), nullptr, nullptr, nullptr));
}

absl::Status SqliteConnection::Checkpoint() {
  const int code =
      sqlite3_wal_checkpoint_v2(db_, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  if (code == SQLITE_OK) wal_pages_ = 0;
  return ToStatus(code);
}

absl::Status SqliteConnection::ToStatus(int code) {
  if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE) return absl::OkStatus();
  const std::string text = absl::StrCat("database ", path_, ": ",
                                        db_ == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(db_),
                                        " (SQLite code ", code, ")");
  if (IsLostFsync(code)) {
    lost_fsync_ = true;
    return absl::InternalError(text);
  }
  switch (code & 0xff) {
    case SQLITE_FULL:
      return absl::ResourceExhaustedError(
          absl::StrCat(text, "; free disk space, it goes on by itself"));
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::DataLossError(absl::StrCat(text, "; restore it from a backup"));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::UnavailableError(
          absl::StrCat(text, "; another process has it open, stop that one first"));
    default:
      return absl::UnavailableError(text);
  }
}

SqliteQuery::~SqliteQuery() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

SqliteQuery& SqliteQuery::Int(std::int64_t value) {
  Keep(sqlite3_bind_int64(statement_, ++bound_, value));
  return *this;
}

SqliteQuery& SqliteQuery::Text(std::string_view value) {
  // A null pointer would bind NULL.
  Keep(sqlite3_bind_text64(statement_, ++bound_, value.empty() ? "" : value.data(), value.size(),
                           SQLITE_STATIC, SQLITE_UTF8));
  return *this;
}

SqliteQuery& SqliteQuery::Blob(std::string_view value) {
  Keep(sqlite3_bind_blob64(statement_, ++bound_, value.empty() ? "" : value.data(), value.size(),
                           SQLITE_STATIC));
  return *this;
}

absl::StatusOr<bool> SqliteQuery::Next() {
  if (code_ == SQLITE_OK) {
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    code_ = code;
  }
  return connection_.ToStatus(code_);
}

absl::Status SqliteQuery::Run() {
  SLIPWAY_ASSIGN_OR_RETURN(bool more, Next());
  while (more) {
    SLIPWAY_ASSIGN_OR_RETURN(more, Next());
  }
  return absl::OkStatus();
}

std::string_view SqliteQuery::At(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  return data == nullptr
             ? std::string_view()
             : std::string_view(static_cast<const char*>(data), static_cast<std::size_t>(size));
}

}  // namespace slipway::controller
