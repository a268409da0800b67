#include "deploy/media-repository/catalog.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <limits>
#include <system_error>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "deploy/media-repository/release.h"

namespace media {
namespace {

constexpr int kBusyMillis = 5000;

constexpr char kColumns[] = "id, title, content_type, bytes, sha256, created_ms";

constexpr char kSchema1[] = R"sql(
CREATE TABLE image_assets (
  id TEXT PRIMARY KEY, title TEXT NOT NULL, content_type TEXT NOT NULL, bytes INTEGER NOT NULL,
  sha256 TEXT NOT NULL, created_ms INTEGER NOT NULL, idempotency_key TEXT UNIQUE) STRICT;
CREATE INDEX image_assets_by_time ON image_assets (created_ms, id);
CREATE TABLE video_assets (
  id TEXT PRIMARY KEY, title TEXT NOT NULL, content_type TEXT NOT NULL, bytes INTEGER NOT NULL,
  sha256 TEXT NOT NULL, created_ms INTEGER NOT NULL, idempotency_key TEXT UNIQUE) STRICT;
CREATE INDEX video_assets_by_time ON video_assets (created_ms, id);
PRAGMA user_version = 1;
)sql";

std::string Table(Kind kind) {
  return kind == Kind::image ? "image_assets" : "video_assets";
}

// Reads the row that `statement` stands on: kColumns, from the first column on.
Asset ReadAsset(Kind kind, const sqlite::Statement& row) {
  return {.kind = kind,
          .id = row.Text(0),
          .title = row.Text(1),
          .content_type = row.Text(2),
          .bytes = row.Number(3),
          .sha256 = row.Text(4),
          .created_ms = row.Number(5)};
}

absl::StatusOr<std::optional<Asset>> FindWhere(sqlite3* db, Kind kind, const char* column,
                                               const std::string& value) {
  sqlite::Statement select(
      db, absl::StrCat("SELECT ", kColumns, " FROM ", Table(kind), " WHERE ", column, " = ?"));
  const absl::StatusOr<bool> row = select.Bind(value).Step();
  if (!row.ok()) return row.status();
  if (!*row) return std::nullopt;
  return ReadAsset(kind, select);
}

absl::StatusOr<int> ReadSchemaVersion(sqlite3* db) {
  sqlite::Statement select(db, "PRAGMA user_version");
  const absl::StatusOr<bool> row = select.Step();
  if (!row.ok()) return row.status();
  return static_cast<int>(select.Number(0));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Catalog>> Catalog::Open(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
  if (error) {
    return absl::UnavailableError(
        absl::StrCat("cannot create the directory of ", path, ": ", error.message()));
  }
  // Instances start at the same moment: one at a time turns WAL on and creates the tables.
  const std::string lock_path = absl::StrCat(path, ".lock");
  const int lock = open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (lock < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ", lock_path));
  const absl::Cleanup unlock = [lock] { close(lock); };
  if (flock(lock, LOCK_EX) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot lock ", lock_path));
  }

  absl::StatusOr<sqlite::Connection> db = sqlite::Open(path, kBusyMillis);
  if (!db.ok()) return db.status();
  // FULL: an upload that was answered survives a power cut.
  const absl::Status durable =
      sqlite::Execute(db->get(), "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
  if (!durable.ok()) return durable;
  std::unique_ptr<Catalog> catalog(new Catalog(*std::move(db)));
  const absl::Status created = catalog->CreateTables();
  if (!created.ok()) return created;
  return catalog;
}

absl::Status Catalog::CreateTables() {
  const std::scoped_lock lock(mutex_);
  sqlite::Transaction transaction(db_.get());
  if (absl::Status begun = transaction.Begin(); !begun.ok()) return begun;
  const absl::StatusOr<int> version = ReadSchemaVersion(db_.get());
  if (!version.ok()) return version.status();
  if (*version == 0) {
    const absl::Status made = sqlite::Execute(db_.get(), kSchema1);
    return made.ok() ? transaction.Commit() : made;
  }
  if (*version < kSchemaOldest || *version > kSchemaNewest) {
    return absl::FailedPreconditionError(absl::StrCat("the database has schema ", *version,
                                                      ", this release runs on ", kSchemaOldest,
                                                      " to ", kSchemaNewest));
  }
  return absl::OkStatus();
}

absl::StatusOr<Catalog::Added> Catalog::Add(const Asset& asset, const std::string& key) {
  const std::scoped_lock lock(mutex_);
  sqlite::Transaction transaction(db_.get());
  if (absl::Status begun = transaction.Begin(); !begun.ok()) return begun;
  if (!key.empty()) {
    auto first = FindWhere(db_.get(), asset.kind, "idempotency_key", key);
    if (!first.ok()) return first.status();
    if (first->has_value()) {
      const Asset& stored = **first;
      if (stored.sha256 != asset.sha256 || stored.title != asset.title ||
          stored.content_type != asset.content_type) {
        return absl::AlreadyExistsError(
            absl::StrCat("this Idempotency-Key was used for another upload, ", stored.id));
      }
      return Added{.asset = stored, .repeated = true};
    }
  }
  sqlite::Statement insert(db_.get(),
                           absl::StrCat("INSERT INTO ", Table(asset.kind), " (", kColumns,
                                        ", idempotency_key) VALUES (?,?,?,?,?,?,?)"));
  insert.Bind(asset.id).Bind(asset.title).Bind(asset.content_type).Bind(asset.bytes);
  insert.Bind(asset.sha256).Bind(asset.created_ms);
  const absl::StatusOr<bool> done = (key.empty() ? insert.BindNull() : insert.Bind(key)).Step();
  if (!done.ok()) return done.status();
  if (absl::Status committed = transaction.Commit(); !committed.ok()) return committed;
  return Added{.asset = asset};
}

absl::StatusOr<std::optional<Asset>> Catalog::Find(const Kinds& kinds, const std::string& id) {
  const std::scoped_lock lock(mutex_);
  for (const Kind kind : kinds) {
    auto found = FindWhere(db_.get(), kind, "id", id);
    if (!found.ok() || found->has_value()) return found;
  }
  return std::nullopt;
}

absl::StatusOr<std::vector<Asset>> Catalog::List(const Kinds& kinds,
                                                 const std::optional<Position>& after, int limit) {
  // Each table gives at most `limit` rows through its index; the union is sorted again.
  std::vector<std::string> selects;
  for (const Kind kind : kinds) {
    selects.push_back(absl::StrCat(
        "SELECT * FROM (SELECT ", kColumns, ", '", KindName(kind), "' FROM ", Table(kind),
        " WHERE (created_ms, id) < (?1, ?2) ORDER BY created_ms DESC, id DESC LIMIT ?3)"));
  }
  const std::string sql = absl::StrCat(absl::StrJoin(selects, " UNION ALL "),
                                       " ORDER BY created_ms DESC, id DESC LIMIT ?3");
  const Position from =
      after.value_or(Position{.created_ms = std::numeric_limits<std::int64_t>::max(), .id = ""});

  const std::scoped_lock lock(mutex_);
  sqlite::Statement select(db_.get(), sql);
  select.Bind(from.created_ms).Bind(from.id).Bind(limit);
  std::vector<Asset> assets;
  while (true) {
    const absl::StatusOr<bool> row = select.Step();
    if (!row.ok()) return row.status();
    if (!*row) return assets;
    assets.push_back(ReadAsset(KindFromName(select.Text(6)).value_or(Kind::image), select));
  }
}

absl::StatusOr<bool> Catalog::Remove(const Kinds& kinds, const std::string& id) {
  const std::scoped_lock lock(mutex_);
  for (const Kind kind : kinds) {
    sqlite::Statement remove(
        db_.get(), absl::StrCat("DELETE FROM ", Table(kind), " WHERE id = ? RETURNING id"));
    absl::StatusOr<bool> row = remove.Bind(id).Step();
    if (!row.ok()) return row;
    const bool removed = *row;
    // The deletion is committed when the statement has run to its end.
    while (row.ok() && *row) row = remove.Step();
    if (!row.ok()) return row.status();
    if (removed) return true;
  }
  return false;
}

absl::StatusOr<int> Catalog::SchemaVersion() {
  const std::scoped_lock lock(mutex_);
  return ReadSchemaVersion(db_.get());
}

}  // namespace media
