// PostgreSQL through libpqxx, with statuses instead of exceptions. For the stores only.
//
// postgres_connection.cc is the only file that sees libpqxx.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "controller/journal/call_guard.h"

namespace slipway::controller {

// How one connection is made.
struct PostgresAddress {
  std::string conninfo;       // libpq's "key='value' …", without a password
  std::string password_file;  // read for each connection; "": libpq's own ways (pgpass)
};

struct PostgresLimits {
  absl::Duration connect = absl::Seconds(4);     // whole seconds, two at least
  absl::Duration statement = absl::Seconds(10);  // by the server; zero: as long as it takes
  absl::Duration lock = absl::Seconds(5);        // by the server
  absl::Duration call = absl::Seconds(15);       // by us: the server does not even say no
};

// All rows that a statement gave. Cheap to copy.
class PostgresRows {
 public:
  struct Impl;
  PostgresRows() = default;
  explicit PostgresRows(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

  int size() const;
  // Good as long as the rows are.
  std::string_view At(int row, int column) const;
  std::int64_t IntAt(int row, int column) const;
  std::uint64_t UintAt(int row, int column) const {
    return static_cast<std::uint64_t>(IntAt(row, column));
  }
  std::string BlobAt(int row, int column) const;

 private:
  std::shared_ptr<const Impl> impl_;
};

// One connection, never made again behind the caller's back. Used by one thread at a time.
//
// Statuses of every call:
//   UNAVAILABLE         lost, slow, shutting down, locked; whether the statement was executed is
//                       unknown when lost() is true
//   RESOURCE_EXHAUSTED  the server's disk is full
//   ABORTED             the transaction clashed with another one; run it again
//   PERMISSION_DENIED   the role may not do that
//   NOT_FOUND           no such table: another version made the database, or nobody yet
//   INVALID_ARGUMENT    a text that PostgreSQL cannot hold
//   DATA_LOSS           the server says that its files are damaged
class PostgresConnection {
 public:
  // `guard` outlives the connection. Errors: as above.
  static absl::StatusOr<std::unique_ptr<PostgresConnection>> Open(const PostgresAddress& address,
                                                                  const PostgresLimits& limits,
                                                                  CallGuard& guard);
  ~PostgresConnection();
  PostgresConnection(const PostgresConnection&) = delete;
  PostgresConnection& operator=(const PostgresConnection&) = delete;

  // A statement of constant text, compiled once for each connection. `$1`, `?1` or, from left to
  // right, `?` stand for the parameters, which are texts: see PostgresQuery for other types.
  absl::StatusOr<PostgresRows> Query(const char* sql, const std::vector<std::string>& parameters);
  // Statements without parameters, which may differ each time; gives the rows of the last one.
  absl::StatusOr<PostgresRows> Execute(const std::string& script);

  // The connection is of no use any more.
  bool lost() const { return lost_; }

 private:
  struct Impl;
  PostgresConnection(std::unique_ptr<Impl> impl, absl::Duration limit, CallGuard& guard);
  template <typename Work>
  absl::StatusOr<PostgresRows> Call(Work work);

  const std::unique_ptr<Impl> impl_;
  const absl::Duration limit_;
  CallGuard& guard_;
  std::map<const char*, std::string> statements_;  // names by address of the text
  bool lost_ = false;
};

// '…', for statements without parameters.
std::string PostgresLiteral(std::string_view text);
// '…' as libpq reads it in a conninfo.
std::string ConninfoValue(std::string_view text);
// "…", for names of roles.
std::string PostgresName(std::string_view name);
// The octets as PostgreSQL reads a bytea.
std::string PostgresBytes(std::string_view octets);
// An array's elements, one after the other; quoted, so that any text may be one.
class PostgresArray {
 public:
  void Add(std::string_view element);
  void Add(std::uint64_t element);
  std::string Text() const { return "{" + elements_ + "}"; }

 private:
  std::string elements_;
};

}  // namespace slipway::controller
