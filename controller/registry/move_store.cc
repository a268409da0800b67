#include "controller/registry/move_store.h"

#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "controller/journal/postgres_journal.h"
#include "controller/journal/sqlite_journal.h"

namespace slipway::controller {
namespace {

constexpr std::size_t kPageRows = 1000;
constexpr std::size_t kPageBytes = 4 << 20;

// Both databases have the columns in this order. `kinds`: text, integer, bytes.
struct Table {
  const char* name;
  const char* read;   // from SQLite
  const char* write;  // to PostgreSQL: one array a column
  std::string_view kinds;
};

constexpr Table kTables[] = {
    {"rollouts", "SELECT number, id, epoch, next, head FROM rollouts",
     "INSERT INTO rollouts SELECT * FROM"
     " unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::bytea[])",
     "itiib"},
    {"events", "SELECT rollout, sequence, epoch, bytes, head FROM records",
     "INSERT INTO events SELECT * FROM"
     " unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[], $5::bytea[])",
     "iiibb"},
    {"hosts",
     "SELECT id, serial, fingerprint, pem, state, state_reason, first_seen, last_seen, report"
     " FROM hosts",
     "INSERT INTO hosts SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[],"
     " $5::text[], $6::text[], $7::bigint[], $8::bigint[], $9::bytea[])",
     "ttttttiib"},
    {"host_labels", "SELECT host, name, value FROM host_labels",
     "INSERT INTO host_labels SELECT * FROM unnest($1::text[], $2::text[], $3::text[])", "ttt"},
    {"cordons", "SELECT host, who, why, at FROM cordons",
     "INSERT INTO cordons SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[])",
     "ttti"},
    {"tokens", "SELECT hash, host, created_by, expires, used_by_key FROM tokens",
     "INSERT INTO tokens SELECT * FROM"
     " unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[])",
     "tttit"},
    {"token_labels", "SELECT token, name, value FROM token_labels",
     "INSERT INTO token_labels SELECT * FROM unnest($1::text[], $2::text[], $3::text[])", "ttt"},
    {"locks", "SELECT host, rollout, who, reason, at FROM locks",
     "INSERT INTO locks SELECT * FROM"
     " unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[])",
     "tttti"},
    {"releases", "SELECT name, version, digest, size, pushed_by, pushed_at FROM releases",
     "INSERT INTO releases SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[],"
     " $5::text[], $6::bigint[])",
     "tttiti"},
    {"wanted", "SELECT host, app, digest, label, rollout FROM wanted",
     "INSERT INTO wanted SELECT * FROM"
     " unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])",
     "ttttt"},
    {"requests", "SELECT method, id, answer, at FROM requests",
     "INSERT INTO requests SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[], $4::bigint[])",
     "ttbi"},
};

// Rows on their way into one table.
class Page {
 public:
  Page(PostgresTransaction& transaction, const Table& table)
      : transaction_(transaction), table_(table), columns_(table.kinds.size()) {}

  void Add(const SqliteQuery& row) {
    for (std::size_t i = 0; i < table_.kinds.size(); ++i) {
      const int column = static_cast<int>(i);
      bytes_ += row.At(column).size();
      if (table_.kinds[i] == 'b') columns_[i].Add(PostgresBytes(row.At(column)));
      if (table_.kinds[i] == 't') columns_[i].Add(row.At(column));
      if (table_.kinds[i] == 'i') columns_[i].Add(absl::StrCat(row.IntAt(column)));
    }
    ++rows_;
  }
  bool full() const { return rows_ >= kPageRows || bytes_ >= kPageBytes; }

  absl::Status Write() {
    if (rows_ == 0) return absl::OkStatus();
    PostgresQuery query = transaction_.Prepare(table_.write);
    for (const PostgresArray& column : columns_) query.Text(column.Text());
    columns_.assign(table_.kinds.size(), PostgresArray());
    rows_ = bytes_ = 0;
    return query.Run();
  }

 private:
  PostgresTransaction& transaction_;
  const Table& table_;
  std::vector<PostgresArray> columns_;
  std::size_t rows_ = 0, bytes_ = 0;
};

absl::StatusOr<std::size_t> Copy(SqliteConnection& from, PostgresTransaction& to,
                                 const Table& table) {
  std::size_t rows = 0;
  Page page(to, table);
  SqliteQuery query = from.Prepare(table.read);
  SLIPWAY_ASSIGN_OR_RETURN(bool more, query.Next());
  for (; more; ++rows) {
    page.Add(query);
    if (page.full()) SLIPWAY_RETURN_IF_ERROR(page.Write());
    SLIPWAY_ASSIGN_OR_RETURN(more, query.Next());
  }
  SLIPWAY_RETURN_IF_ERROR(page.Write());
  return rows;
}

// What tells one history from another.
constexpr char kHeads[] = "SELECT id, epoch, next, head FROM rollouts ORDER BY number";

template <typename Query>
absl::StatusOr<std::string> Heads(Query query) {
  std::string heads;
  SLIPWAY_ASSIGN_OR_RETURN(bool more, query.Next());
  while (more) {
    absl::StrAppend(&heads, query.TextAt(0), " ", query.IntAt(1), " ", query.IntAt(2), " ",
                    query.BlobAt(3), "\n");
    SLIPWAY_ASSIGN_OR_RETURN(more, query.Next());
  }
  return heads;
}

absl::StatusOr<std::string> HoldsRowsIn(PostgresTransaction& to) {
  for (const Table& table : kTables) {
    SLIPWAY_ASSIGN_OR_RETURN(
        const PostgresRows rows,
        to.connection().Execute(absl::StrCat("SELECT 1 FROM ", table.name, " LIMIT 1")));
    if (rows.size() > 0) return std::string(table.name);
  }
  return std::string();
}

absl::StatusOr<StoreMove> MoveIn(SqliteConnection& from, PostgresTransaction& to) {
  StoreMove move;
  SLIPWAY_ASSIGN_OR_RETURN(const std::string source, Heads(from.Prepare(kHeads)));
  SLIPWAY_ASSIGN_OR_RETURN(const std::string held, HoldsRowsIn(to));
  if (!held.empty()) {
    SLIPWAY_ASSIGN_OR_RETURN(const std::string target, Heads(to.Prepare(kHeads)));
    move.was_there = !source.empty() && source == target;
    if (move.was_there) return move;
    return absl::FailedPreconditionError(
        absl::StrCat("the PostgreSQL database is not empty (table ", held,
                     " has rows): nothing was moved; name a fresh one"));
  }
  for (const Table& table : kTables) {
    SLIPWAY_ASSIGN_OR_RETURN(const std::size_t rows, Copy(from, to, table));
    move.rows += rows;
    if (table.name == kTables[0].name) move.rollouts = rows;
    if (table.name == kTables[1].name) move.events = rows;
  }
  return move;
}

}  // namespace

absl::StatusOr<StoreMove> MoveStore(SqliteDatabase& from, PostgresDatabase& to) {
  SLIPWAY_RETURN_IF_ERROR(SqliteJournal::Open(from).status());  // verifies all chains
  StoreMove move;
  SLIPWAY_RETURN_IF_ERROR(from.Run([&](SqliteConnection& source) {
    return to.Run([&](PostgresTransaction& target) -> absl::Status {
      SLIPWAY_ASSIGN_OR_RETURN(move, MoveIn(source, target));
      return absl::OkStatus();
    });
  }));
  SLIPWAY_RETURN_IF_ERROR(PostgresJournal::Open(to).status());
  return move;
}

}  // namespace slipway::controller
