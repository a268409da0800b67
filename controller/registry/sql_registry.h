// The registry in SQLite and in PostgreSQL: the same tables (controller/journal/schema) and the
// same statements.
#pragma once

#include "controller/registry/store.h"

namespace slipway::controller {

// Thread-safe. `Database` is SqliteDatabase or PostgresDatabase, `Transaction` what its Run hands
// to the work; `database` outlives the registry.
template <typename Database, typename Transaction>
class SqlRegistry final : public Registry {
 public:
  explicit SqlRegistry(Database& database) : database_(database) {}

  absl::Status PutHost(const HostId& host, const Labels& labels,
                       const Certificate& certificate) override;
  absl::Status MarkSeen(const HostId& host, absl::Time at, std::string_view report) override;
  absl::Status SetHostState(const HostId& host, HostRecord::State state,
                            std::string_view reason) override;
  absl::Status SetCordon(const HostId& host, const std::optional<Cordon>& cordon) override;
  absl::Status ChangeLabels(const HostId& host, const Labels& set,
                            const std::vector<std::string>& removed) override;
  absl::StatusOr<HostRecord> GetHost(const HostId& host) override;
  absl::StatusOr<std::vector<HostRecord>> ListHosts() override;
  absl::Status AddToken(const EnrolToken& token) override;
  absl::StatusOr<EnrolToken> ConsumeToken(std::string_view hash, const HostId& host,
                                          std::string_view key, absl::Time now) override;
  absl::StatusOr<std::vector<EnrolToken>> ListTokens() override;
  absl::Status DropTokens(absl::Time before) override;
  absl::StatusOr<std::vector<HostLock>> ListLocks() override;
  absl::Status ReleaseLocks(const RolloutId& rollout) override;
  absl::Status AddRelease(const ReleaseRecord& release) override;
  absl::StatusOr<std::vector<ReleaseRecord>> ListReleases() override;
  absl::StatusOr<ReleaseRecord> GetRelease(std::string_view name,
                                           std::string_view version) override;
  absl::Status RemoveRelease(std::string_view name, std::string_view version) override;
  absl::Status PutWanted(const std::vector<Wanted>& wanted) override;
  absl::StatusOr<std::vector<Wanted>> ListWanted() override;
  absl::StatusOr<std::optional<AnsweredRequest>> FindRequest(std::string_view method,
                                                             std::string_view id) override;
  absl::Status AddRequest(const AnsweredRequest& request) override;
  absl::Status DropRequests(absl::Time before) override;

  // The locks and the request of a new rollout, as a part of a larger transaction.
  // Errors: as Store::CreateRollout.
  static absl::Status ReserveIn(Transaction& transaction, const NewRollout& rollout);

 private:
  Database& database_;
};

class SqliteConnection;
class SqliteDatabase;
using SqliteRegistry = SqlRegistry<SqliteDatabase, SqliteConnection>;

class PostgresDatabase;
class PostgresTransaction;
using PostgresRegistry = SqlRegistry<PostgresDatabase, PostgresTransaction>;

}  // namespace slipway::controller
