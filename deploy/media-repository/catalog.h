// The metadata of all uploads: one SQLite file that the instances of a machine share.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "deploy/media-repository/asset.h"
#include "deploy/media-repository/sqlite.h"

namespace media {

using Kinds = std::vector<Kind>;

// Thread-safe; other instances, of this and of other releases, may use the same file meanwhile.
//
// Errors of every call: UNAVAILABLE when another instance held the database for more than 5 s
// (try again), RESOURCE_EXHAUSTED when the disk is full, INTERNAL otherwise.
class Catalog {
 public:
  // Opens `path` and creates directory, file and tables as far as they are missing.
  // Errors: FAILED_PRECONDITION when the schema is one that this release cannot run on.
  static absl::StatusOr<std::unique_ptr<Catalog>> Open(const std::string& path);

  struct Added {
    Asset asset;
    bool repeated = false;
  };

  // Stores `asset` durably. A non-empty `key` makes that idempotent: when an upload with the same
  // key stored an asset of this kind before, through whichever instance, that asset is returned
  // and nothing is stored.
  //
  // Errors: ALREADY_EXISTS when the key belongs to an upload with another title or content.
  absl::StatusOr<Added> Add(const Asset& asset, const std::string& key);

  absl::StatusOr<std::optional<Asset>> Find(const Kinds& kinds, const std::string& id);

  // A place in the list, which is ordered by (created_ms, id), newest first.
  struct Position {
    std::int64_t created_ms = 0;
    std::string id;
  };

  // At most `limit` assets that come after `after`, or from the newest on.
  absl::StatusOr<std::vector<Asset>> List(const Kinds& kinds, const std::optional<Position>& after,
                                          int limit);

  // False: there was no such asset.
  absl::StatusOr<bool> Remove(const Kinds& kinds, const std::string& id);

  // Reads the schema version from the file: proves that the database answers.
  absl::StatusOr<int> SchemaVersion();

 private:
  explicit Catalog(sqlite::Connection db) : db_(std::move(db)) {}

  absl::Status CreateTables();

  std::mutex mutex_;  // over db_: one connection, used by one thread at a time
  sqlite::Connection db_;
};

}  // namespace media
