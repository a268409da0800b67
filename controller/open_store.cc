#include "controller/open_store.h"

#include <cstdlib>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/folder_lock.h"
#include "common/log.h"
#include "common/status_macros.h"
#include "controller/journal/postgres_schema.h"
#include "controller/journal/postgres_url.h"
#include "controller/registry/move_store.h"
#include "controller/registry/postgres_store.h"
#include "controller/registry/sqlite_store.h"

namespace slipway::controller {
namespace {

namespace fs = std::filesystem;

// As systemd's LoadCredential= hands it over.
constexpr char kCredential[] = "store-password";

std::string PasswordFile(const Config& config) {
  if (!config.store_password_file.empty()) return config.store_password_file;
  const char* const folder = std::getenv("CREDENTIALS_DIRECTORY");
  if (folder == nullptr) return "";
  const fs::path file = fs::path(folder) / kCredential;
  std::error_code unreadable;
  return fs::exists(file, unreadable) ? file.string() : "";
}

absl::StatusOr<PostgresOptions> OptionsOf(const Config& config) {
  SLIPWAY_ASSIGN_OR_RETURN(const PostgresUrl url, ParsePostgresUrl(config.store));
  if (!url.warning.empty()) log::Warn("the store is not proved", {{"why", url.warning}});
  PostgresOptions options;
  options.address = {url.conninfo, PasswordFile(config)};
  return options;
}

std::string SqlitePath(const Config& config) {
  return config.dir + "/store.db";
}

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> OpenStore(const Config& config) {
  if (config.store.empty()) {
    SqliteOptions options;
    options.path = SqlitePath(config);
    return SqliteStore::Open(std::move(options));
  }
  SLIPWAY_ASSIGN_OR_RETURN(PostgresOptions options, OptionsOf(config));
  return PostgresStore::Open(std::move(options));
}

absl::Status PrepareStore(const Config& config, const std::string& service) {
  SLIPWAY_ASSIGN_OR_RETURN(const PostgresOptions options, OptionsOf(config));
  CallGuard guard(SystemClock());
  PostgresLimits limits;
  limits.statement = absl::ZeroDuration();
  limits.call = absl::Hours(1);  // a migration of a large journal
  SLIPWAY_ASSIGN_OR_RETURN(const std::unique_ptr<PostgresConnection> connection,
                           PostgresConnection::Open(options.address, limits, guard));
  return PreparePostgres(*connection, service);
}

absl::StatusOr<std::string> MigrateStore(const Config& config) {
  SLIPWAY_ASSIGN_OR_RETURN(const FolderLock lock, FolderLock::Take(config.dir));
  const std::string path = SqlitePath(config);
  if (!fs::exists(path)) {
    return absl::NotFoundError(absl::StrCat("no store to move: ", path, " is not there"));
  }
  SLIPWAY_ASSIGN_OR_RETURN(PostgresOptions options, OptionsOf(config));
  SqliteOptions source;
  source.path = path;
  StoreMove move;
  {
    SLIPWAY_ASSIGN_OR_RETURN(const auto from, SqliteDatabase::Open(std::move(source)));
    SLIPWAY_ASSIGN_OR_RETURN(const auto to, PostgresDatabase::Open(std::move(options)));
    SLIPWAY_ASSIGN_OR_RETURN(move, MoveStore(*from, *to));
  }
  // In this order: a controller that starts in between finds its history.
  SLIPWAY_RETURN_IF_ERROR(WriteConfig(config));
  std::error_code failed;
  fs::rename(path, path + ".moved", failed);
  if (failed) {
    return absl::UnavailableError(
        absl::StrCat("moved, but ", path, " cannot be set aside: ", failed.message()));
  }
  return move.was_there
             ? absl::StrCat("everything was there already; ", path, ".moved keeps the old store")
             : absl::StrCat("moved ", move.rollouts, " rollouts with ", move.events,
                            " events, chains verified (", move.rows, " rows in all); ", path,
                            ".moved keeps the old store");
}

}  // namespace slipway::controller
