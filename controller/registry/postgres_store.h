// The store in a PostgreSQL database: for controllers whose journal lies on another machine.
#pragma once

#include <memory>

#include "controller/journal/postgres_journal.h"
#include "controller/registry/sql_registry.h"
#include "controller/registry/store.h"

namespace slipway::controller {

// Thread-safe.
class PostgresStore final : public Store {
 public:
  // Waits until no other controller drives the store, and checks all of the journal:
  // PostgresDatabase::Open and PostgresJournal::Open name the errors.
  static absl::StatusOr<std::unique_ptr<PostgresStore>> Open(PostgresOptions options);

  Journal& journal() override { return *journal_; }
  Registry& registry() override { return registry_; }
  absl::StatusOr<Lease> CreateRollout(const NewRollout& rollout) override;
  std::string Trouble() const override { return database_->Trouble(); }

  PostgresDatabase& database() { return *database_; }

 private:
  PostgresStore(std::unique_ptr<PostgresDatabase> database,
                std::unique_ptr<PostgresJournal> journal)
      : database_(std::move(database)), journal_(std::move(journal)), registry_(*database_) {}

  const std::unique_ptr<PostgresDatabase> database_;
  const std::unique_ptr<PostgresJournal> journal_;
  PostgresRegistry registry_;
};

}  // namespace slipway::controller
