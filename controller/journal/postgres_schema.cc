#include "controller/journal/postgres_schema.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/status_macros.h"
#include "controller/journal/chain.h"

namespace slipway::controller {
namespace {

constexpr char kLedger[] =
    "CREATE TABLE IF NOT EXISTS schema_migrations ("
    "number bigint PRIMARY KEY, sha256 text NOT NULL)";

// What the service may do; nothing else is granted to it.
constexpr char kGrants[] =
    "REVOKE ALL ON schema_migrations, lease, rollouts, events, hosts, host_labels, cordons, tokens,"
    " token_labels, locks, releases, wanted, requests FROM PUBLIC, $service;"
    "GRANT SELECT ON schema_migrations TO $service;"
    "GRANT SELECT, UPDATE ON lease TO $service;"
    "GRANT SELECT, INSERT ON events TO $service;"
    "GRANT SELECT, INSERT, UPDATE (epoch, next, head) ON rollouts TO $service;"
    "GRANT SELECT, INSERT, UPDATE ON hosts, wanted TO $service;"
    "GRANT SELECT, INSERT, UPDATE, DELETE ON cordons, host_labels TO $service;"
    "GRANT SELECT, INSERT, UPDATE, DELETE ON tokens TO $service;"
    "GRANT SELECT, INSERT ON token_labels TO $service;"
    "GRANT SELECT, INSERT, DELETE ON locks, releases, requests TO $service";

constexpr char kRemedy[] =
    "; run `slipway-controller prepare-store` of this version as the tables' owner";

absl::StatusOr<std::vector<std::string>> Applied(PostgresConnection& connection) {
  SLIPWAY_ASSIGN_OR_RETURN(
      const PostgresRows rows,
      connection.Execute("SELECT sha256 FROM schema_migrations ORDER BY number"));
  std::vector<std::string> digests;
  for (int row = 0; row < rows.size(); ++row) digests.emplace_back(rows.At(row, 0));
  return digests;
}

absl::Status CheckApplied(const std::vector<std::string>& applied,
                          const std::vector<Migration>& migrations) {
  if (applied.size() > migrations.size()) {
    return absl::FailedPreconditionError(
        absl::StrCat("the database has ", applied.size(), " migrations, this program knows ",
                     migrations.size(), ": a newer slipway-controller made it; run that version"));
  }
  for (std::size_t i = 0; i < applied.size(); ++i) {
    if (applied[i] == Sha256Hex(migrations[i].text)) continue;
    return absl::FailedPreconditionError(
        absl::StrCat("migration ", migrations[i].number,
                     " of the database is not the one of this program: another build of "
                     "slipway-controller made it; run that one"));
  }
  return absl::OkStatus();
}

absl::Status Apply(PostgresConnection& connection, const Migration& migration) {
  const absl::Status applied =
      connection
          .Execute(absl::StrCat("BEGIN; ", std::string(migration.text),
                                "; INSERT INTO schema_migrations (number, sha256) VALUES (",
                                migration.number, ", '", Sha256Hex(migration.text), "'); COMMIT"))
          .status();
  if (!applied.ok()) connection.Execute("ROLLBACK").IgnoreError();
  return applied;
}

absl::Status CheckServer(PostgresConnection& connection) {
  SLIPWAY_ASSIGN_OR_RETURN(
      const PostgresRows rows,
      connection.Execute("SELECT current_setting('server_version_num')::int,"
                         " current_setting('server_encoding'), current_setting('fsync'),"
                         " current_user, has_table_privilege('events', 'UPDATE')"
                         " OR has_table_privilege('events', 'DELETE')"
                         " OR has_table_privilege('events', 'TRUNCATE')"));
  if (rows.IntAt(0, 0) < 130000) {
    return absl::FailedPreconditionError(
        absl::StrCat("the server is PostgreSQL ", rows.IntAt(0, 0) / 10000, "; 13 is the least"));
  }
  if (rows.At(0, 1) != "UTF8") {
    return absl::FailedPreconditionError(absl::StrCat(
        "the database's encoding is ", std::string(rows.At(0, 1)), "; make one with UTF8"));
  }
  if (rows.At(0, 2) != "on") {
    return absl::FailedPreconditionError(
        "the server runs with fsync=off, so that it would lose what it acknowledged; turn it on");
  }
  if (rows.At(0, 4) == "t") {
    return absl::FailedPreconditionError(
        absl::StrCat("role ", std::string(rows.At(0, 3)),
                     " may change events; run the controller as another role, which "
                     "`slipway-controller prepare-store --service ROLE` lets in"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status PreparePostgres(PostgresConnection& connection, const std::string& service,
                             const std::vector<Migration>& migrations) {
  SLIPWAY_RETURN_IF_ERROR(connection.Execute(kLedger).status());
  SLIPWAY_ASSIGN_OR_RETURN(const std::vector<std::string> applied, Applied(connection));
  SLIPWAY_RETURN_IF_ERROR(CheckApplied(applied, migrations));
  for (std::size_t i = applied.size(); i < migrations.size(); ++i) {
    SLIPWAY_RETURN_IF_ERROR(Apply(connection, migrations[i]));
  }
  return connection.Execute(absl::StrReplaceAll(kGrants, {{"$service", PostgresName(service)}}))
      .status();
}

absl::Status CheckPostgres(PostgresConnection& connection,
                           const std::vector<Migration>& migrations) {
  const auto applied = Applied(connection);
  if (absl::IsNotFound(applied.status())) {
    return absl::FailedPreconditionError(
        absl::StrCat("the database has no tables of Slipway", kRemedy));
  }
  if (absl::IsPermissionDenied(applied.status())) {
    return absl::FailedPreconditionError(absl::StrCat(
        "this role was not let in: ", std::string(applied.status().message()), kRemedy));
  }
  SLIPWAY_RETURN_IF_ERROR(applied.status());
  SLIPWAY_RETURN_IF_ERROR(CheckApplied(*applied, migrations));
  if (applied->size() < migrations.size()) {
    return absl::FailedPreconditionError(absl::StrCat("the database has ", applied->size(), " of ",
                                                      migrations.size(), " migrations", kRemedy));
  }
  return CheckServer(connection);
}

}  // namespace slipway::controller
