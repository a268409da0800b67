// SQLite's C interface, with statuses and without leaks. For the stores only.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace slipway::controller {

class SqliteQuery;

// One open database. Used by one thread at a time.
class SqliteConnection {
 public:
  // `vfs` names a registered SQLite VFS; "" is the system's.
  static absl::StatusOr<std::unique_ptr<SqliteConnection>> Open(const std::string& path,
                                                                const std::string& vfs);
  ~SqliteConnection();
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  // A statement of constant text, compiled once for each connection. One query of the same text
  // at a time.
  SqliteQuery Prepare(const char* sql);
  // Runs statements that give no rows and have no parameters, and may differ each time.
  absl::Status Execute(const std::string& script);

  // False when SQLite undid the whole transaction by itself (full disk, I/O error).
  bool InTransaction() const { return sqlite3_get_autocommit(db_) == 0; }
  // An fsync failed: nobody knows any more what is on the disk.
  bool lost_fsync() const { return lost_fsync_; }
  // Moves what is in the write-ahead log into the database file, as far as that is possible.
  absl::Status Checkpoint();
  // Size of the write-ahead log after the last commit.
  int wal_pages() const { return wal_pages_; }

  // RESOURCE_EXHAUSTED: full disk. DATA_LOSS: damaged. INTERNAL: see lost_fsync(). UNAVAILABLE:
  // whatever may pass.
  absl::Status ToStatus(int code);

 private:
  SqliteConnection(sqlite3* db, std::string path) : db_(db), path_(std::move(path)) {}

  sqlite3* const db_;
  const std::string path_;
  std::map<const char*, sqlite3_stmt*> statements_;  // by address of the text
  bool lost_fsync_ = false;
  int wal_pages_ = 0;
};

// A run of one statement: bind from left to right, then Next() until false, or Run().
// Views of columns are good until the next Next().
class SqliteQuery {
 public:
  SqliteQuery(SqliteConnection& connection, sqlite3_stmt* statement, int code)
      : connection_(connection), statement_(statement), code_(code) {}
  ~SqliteQuery();
  SqliteQuery(const SqliteQuery&) = delete;
  SqliteQuery& operator=(const SqliteQuery&) = delete;

  SqliteQuery& Int(std::int64_t value);
  SqliteQuery& Uint(std::uint64_t value) { return Int(static_cast<std::int64_t>(value)); }
  // The bytes stay with the caller until the query is over.
  SqliteQuery& Text(std::string_view value);
  SqliteQuery& Blob(std::string_view value);

  // True: there is a row. False: there is none left.
  absl::StatusOr<bool> Next();
  absl::Status Run();

  std::int64_t IntAt(int column) const { return sqlite3_column_int64(statement_, column); }
  std::uint64_t UintAt(int column) const { return static_cast<std::uint64_t>(IntAt(column)); }
  std::string_view At(int column) const;
  std::string TextAt(int column) const { return std::string(At(column)); }
  std::string BlobAt(int column) const { return std::string(At(column)); }

 private:
  void Keep(int code) {
    if (code_ == SQLITE_OK) code_ = code;
  }

  SqliteConnection& connection_;
  sqlite3_stmt* const statement_;
  int code_;  // first error
  int bound_ = 0;
};

}  // namespace slipway::controller
