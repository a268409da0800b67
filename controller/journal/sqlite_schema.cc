#include "controller/journal/sqlite_schema.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "controller/journal/chain.h"

namespace slipway::controller {
namespace {

constexpr char kLedger[] =
    "CREATE TABLE IF NOT EXISTS schema_migrations ("
    "number INTEGER PRIMARY KEY, sha256 TEXT NOT NULL) STRICT";

absl::StatusOr<std::vector<std::string>> Applied(SqliteConnection& connection) {
  std::vector<std::string> digests;
  SqliteQuery query = connection.Prepare("SELECT sha256 FROM schema_migrations ORDER BY number");
  SLIPWAY_ASSIGN_OR_RETURN(bool more, query.Next());
  while (more) {
    digests.push_back(query.TextAt(0));
    SLIPWAY_ASSIGN_OR_RETURN(more, query.Next());
  }
  return digests;
}

absl::Status Apply(SqliteConnection& connection, const Migration& migration,
                   const std::string& digest) {
  SLIPWAY_RETURN_IF_ERROR(connection.Execute("BEGIN IMMEDIATE"));
  absl::Status applied = connection.Execute(std::string(migration.text));
  if (applied.ok()) {
    applied = connection.Prepare("INSERT INTO schema_migrations (number, sha256) VALUES (?, ?)")
                  .Int(migration.number)
                  .Text(digest)
                  .Run();
  }
  if (applied.ok()) return connection.Execute("COMMIT");
  if (connection.InTransaction()) connection.Execute("ROLLBACK").IgnoreError();
  return applied;
}

}  // namespace

absl::Status MigrateSqlite(SqliteConnection& connection, const std::vector<Migration>& migrations) {
  SLIPWAY_RETURN_IF_ERROR(connection.Execute(kLedger));
  SLIPWAY_ASSIGN_OR_RETURN(const std::vector<std::string> applied, Applied(connection));
  if (applied.size() > migrations.size()) {
    return absl::FailedPreconditionError(
        absl::StrCat("the database has ", applied.size(), " migrations, this program knows ",
                     migrations.size(), ": a newer slipway-controller made it; run that version"));
  }
  for (std::size_t i = 0; i < migrations.size(); ++i) {
    const std::string digest = Sha256Hex(migrations[i].text);
    if (i >= applied.size()) {
      SLIPWAY_RETURN_IF_ERROR(Apply(connection, migrations[i], digest));
    } else if (applied[i] != digest) {
      return absl::FailedPreconditionError(
          absl::StrCat("migration ", migrations[i].number,
                       " of the database is not the one of this program: another build of "
                       "slipway-controller made it; run that one"));
    }
  }
  return absl::OkStatus();
}

}  // namespace slipway::controller
