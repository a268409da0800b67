// The store in one SQLite file: the default of a controller.
#pragma once

#include <memory>

#include "controller/journal/sqlite_journal.h"
#include "controller/registry/sql_registry.h"
#include "controller/registry/store.h"

namespace slipway::controller {

// Thread-safe.
class SqliteStore final : public Store {
 public:
  // Opens the file, makes its tables if need be, and checks all of it: SqliteDatabase::Open and
  // SqliteJournal::Open name the errors. Takes time in proportion to the file.
  static absl::StatusOr<std::unique_ptr<SqliteStore>> Open(SqliteOptions options);

  Journal& journal() override { return *journal_; }
  Registry& registry() override { return registry_; }
  absl::StatusOr<Lease> CreateRollout(const NewRollout& rollout) override;

 private:
  SqliteStore(std::unique_ptr<SqliteDatabase> database, std::unique_ptr<SqliteJournal> journal)
      : database_(std::move(database)), journal_(std::move(journal)), registry_(*database_) {}

  const std::unique_ptr<SqliteDatabase> database_;
  const std::unique_ptr<SqliteJournal> journal_;
  SqliteRegistry registry_;
};

}  // namespace slipway::controller
