#include "controller/registry/sql_registry.h"

#include <map>
#include <utility>

#include "common/status_macros.h"
#include "controller/journal/micros.h"
#include "controller/journal/postgres_database.h"
#include "controller/journal/sqlite_database.h"
#include "controller/registry/refusals.h"

namespace slipway::controller {
namespace {

// Statements name their columns in the order of the struct in records.h, and keep to what both
// databases understand. A `Row` is a query that stands on one.

std::string_view ToText(HostRecord::State state) {
  switch (state) {
    case HostRecord::State::enrolled:
      return "enrolled";
    case HostRecord::State::quarantined:
      return "quarantined";
    case HostRecord::State::retired:
      return "retired";
  }
  return "";
}

HostRecord::State StateFromText(std::string_view text) {
  if (text == "quarantined") return HostRecord::State::quarantined;
  if (text == "retired") return HostRecord::State::retired;
  return HostRecord::State::enrolled;
}

template <typename Row>
absl::Time TimeAt(const Row& query, int column) {
  return TimeFromMicros(query.IntAt(column));
}

// Calls `row` for each row that `query` gives.
template <typename Query, typename Do>
absl::Status ForEach(Query& query, Do row) {
  SLIPWAY_ASSIGN_OR_RETURN(bool more, query.Next());
  while (more) {
    row(query);
    SLIPWAY_ASSIGN_OR_RETURN(more, query.Next());
  }
  return absl::OkStatus();
}

// All rows of a statement without parameters.
template <typename Value, typename Transaction, typename Database, typename Make>
absl::StatusOr<std::vector<Value>> List(Database& database, const char* sql, Make make) {
  std::vector<Value> values;
  SLIPWAY_RETURN_IF_ERROR(database.Run([&](Transaction& transaction) {
    values.clear();
    auto query = transaction.Prepare(sql);
    return ForEach(query, [&](const auto& row) { values.push_back(make(row)); });
  }));
  return values;
}

template <typename Query>
absl::StatusOr<bool> Exists(Query& query) {
  return query.Next();
}

template <typename Transaction>
absl::Status RequireHost(Transaction& transaction, const HostId& host) {
  auto query = transaction.Prepare("SELECT 1 FROM hosts WHERE id = ?");
  SLIPWAY_ASSIGN_OR_RETURN(const bool found, Exists(query.Text(host.text)));
  return found ? absl::OkStatus() : NoSuchHost(host);
}

template <typename Row>
HostRecord HostAt(const Row& row) {
  HostRecord host;
  host.id = {row.TextAt(0)};
  host.certificate = {row.TextAt(1), row.TextAt(2), row.TextAt(3)};
  host.state = StateFromText(row.At(4));
  host.state_reason = row.TextAt(5);
  host.first_seen = TimeAt(row, 6);
  host.last_seen = TimeAt(row, 7);
  if (row.IntAt(8) != 0) host.cordon = Cordon{row.TextAt(9), row.TextAt(10), TimeAt(row, 11)};
  host.report = row.BlobAt(12);
  return host;
}

// Hosts in ascending order, with their labels; `only`: that one, or none.
template <typename Transaction>
absl::Status ReadHosts(Transaction& transaction, const HostId* only,
                       std::vector<HostRecord>& hosts) {
  hosts.clear();
  std::map<HostId, Labels> labels;
  const std::string id = only == nullptr ? "" : only->text;
  auto named =
      transaction.Prepare("SELECT host, name, value FROM host_labels WHERE ?1 = '' OR host = ?1");
  SLIPWAY_RETURN_IF_ERROR(ForEach(named.Text(id), [&](const auto& row) {
    labels[{row.TextAt(0)}][row.TextAt(1)] = row.TextAt(2);
  }));
  auto query = transaction.Prepare(
      "SELECT h.id, serial, fingerprint, pem, state, state_reason, first_seen, last_seen,"
      " CASE WHEN c.host IS NULL THEN 0 ELSE 1 END, c.who, c.why, c.at, report"
      " FROM hosts h LEFT JOIN cordons c ON c.host = h.id"
      " WHERE ?1 = '' OR h.id = ?1 ORDER BY h.id");
  return ForEach(query.Text(id), [&](const auto& row) {
    hosts.push_back(HostAt(row));
    hosts.back().labels = labels[hosts.back().id];
  });
}

template <typename Transaction>
absl::Status DropHostLabel(Transaction& transaction, const HostId& host, const std::string& name) {
  return transaction.Prepare("DELETE FROM host_labels WHERE host = ? AND name = ?")
      .Text(host.text)
      .Text(name)
      .Run();
}

template <typename Transaction>
absl::Status AddHostLabels(Transaction& transaction, const HostId& host, const Labels& labels) {
  for (const auto& [name, value] : labels) {
    SLIPWAY_RETURN_IF_ERROR(
        transaction.Prepare("INSERT INTO host_labels (host, name, value) VALUES (?, ?, ?)")
            .Text(host.text)
            .Text(name)
            .Text(value)
            .Run());
  }
  return absl::OkStatus();
}

// Tokens in ascending order, with their labels; `only`: that one, or none; "" = all.
template <typename Transaction>
absl::Status ReadTokens(Transaction& transaction, std::string_view only,
                        std::vector<EnrolToken>& tokens) {
  tokens.clear();
  std::map<std::string, Labels> labels;
  auto named = transaction.Prepare(
      "SELECT token, name, value FROM token_labels WHERE ?1 = '' OR token = ?1");
  SLIPWAY_RETURN_IF_ERROR(ForEach(named.Text(only), [&](const auto& row) {
    labels[row.TextAt(0)][row.TextAt(1)] = row.TextAt(2);
  }));
  auto query = transaction.Prepare(
      "SELECT hash, host, created_by, expires, used_by_key FROM tokens"
      " WHERE ?1 = '' OR hash = ?1 ORDER BY hash");
  return ForEach(query.Text(only), [&](const auto& row) {
    tokens.push_back({row.TextAt(0),
                      {row.TextAt(1)},
                      labels[row.TextAt(0)],
                      row.TextAt(2),
                      TimeAt(row, 3),
                      row.TextAt(4)});
  });
}

template <typename Row>
ReleaseRecord ReleaseAt(const Row& row) {
  return {row.TextAt(0), row.TextAt(1), row.TextAt(2),
          row.UintAt(3), row.TextAt(4), TimeAt(row, 5)};
}

template <typename Transaction>
absl::StatusOr<std::optional<ReleaseRecord>> FindRelease(Transaction& transaction,
                                                         std::string_view name,
                                                         std::string_view version) {
  auto query = transaction.Prepare(
      "SELECT name, version, digest, size, pushed_by, pushed_at FROM releases"
      " WHERE name = ? AND version = ?");
  SLIPWAY_ASSIGN_OR_RETURN(const bool found, Exists(query.Text(name).Text(version)));
  if (!found) return std::nullopt;
  return ReleaseAt(query);
}

template <typename Row>
HostLock LockAt(const Row& row) {
  return {{row.TextAt(0)}, {row.TextAt(1)}, row.TextAt(2), row.TextAt(3), TimeAt(row, 4)};
}

template <typename Transaction>
absl::Status InsertRequest(Transaction& transaction, const AnsweredRequest& request) {
  auto known = transaction.Prepare("SELECT 1 FROM requests WHERE method = ? AND id = ?");
  SLIPWAY_ASSIGN_OR_RETURN(const bool found, Exists(known.Text(request.method).Text(request.id)));
  if (found) return AnsweredBefore(request.method, request.id);
  return transaction.Prepare("INSERT INTO requests (method, id, answer, at) VALUES (?, ?, ?, ?)")
      .Text(request.method)
      .Text(request.id)
      .Blob(request.answer)
      .Int(ToMicros(request.at))
      .Run();
}

}  // namespace

template <typename Database, typename Transaction>
absl::Status SqlRegistry<Database, Transaction>::PutHost(const HostId& host, const Labels& labels,
                                                         const Certificate& certificate) {
  return database_.Run([&](Transaction& transaction) -> absl::Status {
    SLIPWAY_RETURN_IF_ERROR(
        transaction
            .Prepare("INSERT INTO hosts (id, serial, fingerprint, pem, state, state_reason,"
                     " first_seen, last_seen) VALUES (?, ?, ?, ?, 'enrolled', '', ?, ?)"
                     " ON CONFLICT (id) DO UPDATE SET serial = excluded.serial,"
                     " fingerprint = excluded.fingerprint, pem = excluded.pem,"
                     " state = 'enrolled', state_reason = ''")
            .Text(host.text)
            .Text(certificate.serial)
            .Text(certificate.fingerprint)
            .Text(certificate.pem)
            .Int(kFutureMicros)
            .Int(kPastMicros)
            .Run());
    SLIPWAY_RETURN_IF_ERROR(
        transaction.Prepare("DELETE FROM host_labels WHERE host = ?").Text(host.text).Run());
    return AddHostLabels(transaction, host, labels);
  });
}

template <typename Database, typename Transaction>
absl::Status SqlRegistry<Database, Transaction>::MarkSeen(const HostId& host, absl::Time at,
                                                          std::string_view report) {
  return database_.Run([&](Transaction& transaction) -> absl::Status {
    SLIPWAY_RETURN_IF_ERROR(RequireHost(transaction, host));
    if (!report.empty()) {
      SLIPWAY_RETURN_IF_ERROR(transaction.Prepare("UPDATE hosts SET report = ? WHERE id = ?")
                                  .Blob(report)
                                  .Text(host.text)
                                  .Run());
    }
    return transaction
        .Prepare(
            "UPDATE hosts SET first_seen = CASE WHEN first_seen < ?1 THEN first_seen ELSE ?1 END,"
            " last_seen = CASE WHEN last_seen > ?1 THEN last_seen ELSE ?1 END WHERE id = ?2")
        .Int(ToMicros(at))
        .Text(host.text)
        .Run();
  });
}

template <typename Database, typename Transaction>
absl::Status SqlRegistry<Database, Transaction>::SetHostState(const HostId& host,
                                                              HostRecord::State state,
                                                              std::string_view reason) {
  return database_.Run([&](Transaction& transaction) -> absl::Status {
    SLIPWAY_RETURN_IF_ERROR(RequireHost(transaction, host));
    return transaction.Prepare("UPDATE hosts SET state = ?, state_reason = ? WHERE id = ?")
        .Text(ToText(state))
        .Text(reason)
        .Text(host.text)
        .Run();
  });
}

template <typename Database, typename Transaction>
absl::Status SqlRegistry<Database, Transaction>::SetCordon(const HostId& host,
                                                           const std::optional<Cordon>& cordon) {
  return database_.Run([&](Transaction& transaction) -> absl::Status {
    SLIPWAY_RETURN_IF_ERROR(RequireHost(transaction, host));
    SLIPWAY_RETURN_IF_ERROR(
        transaction.Prepare("DELETE FROM cordons WHERE host = ?").Text(host.text).Run());
    if (!cordon) return absl::OkStatus();
    return transaction.Prepare("INSERT INTO cordons (host, who, why, at) VALUES (?, ?, ?, ?)")
        .Text(host.text)
        .Text(cordon->who)
        .Text(cordon->why)
        .Int(ToMicros(cordon->at))
        .Run();
  });
}

template <typename Database, typename Transaction>
absl::Status SqlRegistry<Database, Transaction>::ChangeLabels(
    const HostId& host, const Labels& set, const std::vector<std::string>& removed) {
  return database_.Run([&](Transaction& transaction) -> absl::Status {
    SLIPWAY_RETURN_IF_ERROR(RequireHost(transaction, host));
    for (const auto& [name, value] : set) {
      SLIPWAY_RETURN_IF_ERROR(DropHostLabel(transaction, host, name));
    }
    SLIPWAY_RETURN_IF_ERROR(AddHostLabels(transaction, host, set));
    for (const std::string& name : removed) {
      SLIPWAY_RETURN_IF_ERROR(DropHostLabel(transaction, host, name));
    }
    return absl::OkStatus();
  });
}

template <typename Database, typename Transaction>
absl::StatusOr<HostRecord> SqlRegistry<Database, Transaction>::GetHost(const HostId& host) {
  std::vector<HostRecord> hosts;
  SLIPWAY_RETURN_IF_ERROR(database_.Run([&](Transaction& transaction) -> absl::Status {
    SLIPWAY_RETURN_IF_ERROR(RequireHost(transaction, host));
    return ReadHosts(transaction, &host, hosts);
  }));
  return hosts.front();
}

template <typename Database, typename Transaction>
absl::StatusOr<std::vector<HostRecord>> SqlRegistry<Database, Transaction>::ListHosts() {
  std::vector<HostRecord> hosts;
  SLIPWAY_RETURN_IF_ERROR(database_.Run(
      [&](Transaction& transaction) { return ReadHosts(transaction, nullptr, hosts); }));
  return hosts;
}

template <typename Database, typename Transaction>
absl::Status SqlRegistry<Database, Transaction>::AddToken(const EnrolToken& token) {
  return database_.Run([&](Transaction& transaction) -> absl::Status {
    auto known = transaction.Prepare("SELECT 1 FROM tokens WHERE hash = ?");
    SLIPWAY_ASSIGN_OR_RETURN(const bool found, Exists(known.Text(token.hash)));
    if (found) return absl::AlreadyExistsError("this token exists already");
    SLIPWAY_RETURN_IF_ERROR(
        transaction
            .Prepare("INSERT INTO tokens (hash, host, created_by, expires, used_by_key)"
                     " VALUES (?, ?, ?, ?, ?)")
            .Text(token.hash)
            .Text(token.host.text)
            .Text(token.created_by)
            .Int(ToMicros(token.expires))
            .Text(token.used_by_key)
            .Run());
    for (const auto& [name, value] : token.labels) {
      SLIPWAY_RETURN_IF_ERROR(
          transaction.Prepare("INSERT INTO token_labels (token, name, value) VALUES (?, ?, ?)")
              .Text(token.hash)
              .Text(name)
              .Text(value)
              .Run());
    }
    return absl::OkStatus();
  });
}

template <typename Database, typename Transaction>
absl::StatusOr<EnrolToken> SqlRegistry<Database, Transaction>::ConsumeToken(std::string_view hash,
                                                                            const HostId& host,
                                                                            std::string_view key,
                                                                            absl::Time now) {
  std::vector<EnrolToken> tokens;
  SLIPWAY_RETURN_IF_ERROR(database_.Run([&](Transaction& transaction) -> absl::Status {
    if (hash.empty()) return NoSuchToken();
    SLIPWAY_RETURN_IF_ERROR(ReadTokens(transaction, hash, tokens));
    if (tokens.empty() || tokens.front().host != host) return NoSuchToken();
    SLIPWAY_RETURN_IF_ERROR(MaySpend(tokens.front(), key, now));
    tokens.front().used_by_key = key;
    return transaction.Prepare("UPDATE tokens SET used_by_key = ? WHERE hash = ?")
        .Text(key)
        .Text(hash)
        .Run();
  }));
  return tokens.front();
}

template <typename Database, typename Transaction>
absl::StatusOr<std::vector<EnrolToken>> SqlRegistry<Database, Transaction>::ListTokens() {
  std::vector<EnrolToken> tokens;
  SLIPWAY_RETURN_IF_ERROR(
      database_.Run([&](Transaction& transaction) { return ReadTokens(transaction, "", tokens); }));
  return tokens;
}

template <typename Database, typename Transaction>
absl::Status SqlRegistry<Database, Transaction>::DropTokens(absl::Time before) {
  return database_.Run([&](Transaction& transaction) {
    return transaction.Prepare("DELETE FROM tokens WHERE expires < ?").Int(ToMicros(before)).Run();
  });
}

template <typename Database, typename Transaction>
absl::StatusOr<std::vector<HostLock>> SqlRegistry<Database, Transaction>::ListLocks() {
  return List<HostLock, Transaction>(
      database_, "SELECT host, rollout, who, reason, at FROM locks ORDER BY host",
      [](const auto& row) { return LockAt(row); });
}

template <typename Database, typename Transaction>
absl::Status SqlRegistry<Database, Transaction>::ReleaseLocks(const RolloutId& rollout) {
  return database_.Run([&](Transaction& transaction) {
    return transaction.Prepare("DELETE FROM locks WHERE rollout = ?").Text(rollout.text).Run();
  });
}

template <typename Database, typename Transaction>
absl::Status SqlRegistry<Database, Transaction>::AddRelease(const ReleaseRecord& release) {
  return database_.Run([&](Transaction& transaction) -> absl::Status {
    SLIPWAY_ASSIGN_OR_RETURN(const std::optional<ReleaseRecord> known,
                             FindRelease(transaction, release.name, release.version));
    if (known && known->digest == release.digest) return absl::OkStatus();
    if (known) return ReleaseIsImmutable(*known, release);
    return transaction
        .Prepare(
            "INSERT INTO releases (name, version, digest, size, pushed_by, pushed_at)"
            " VALUES (?, ?, ?, ?, ?, ?)")
        .Text(release.name)
        .Text(release.version)
        .Text(release.digest)
        .Uint(release.size)
        .Text(release.pushed_by)
        .Int(ToMicros(release.pushed_at))
        .Run();
  });
}

template <typename Database, typename Transaction>
absl::StatusOr<std::vector<ReleaseRecord>> SqlRegistry<Database, Transaction>::ListReleases() {
  return List<ReleaseRecord, Transaction>(database_,
                                          "SELECT name, version, digest, size, pushed_by, pushed_at"
                                          " FROM releases ORDER BY name, version",
                                          [](const auto& row) { return ReleaseAt(row); });
}

template <typename Database, typename Transaction>
absl::StatusOr<ReleaseRecord> SqlRegistry<Database, Transaction>::GetRelease(
    std::string_view name, std::string_view version) {
  std::optional<ReleaseRecord> release;
  SLIPWAY_RETURN_IF_ERROR(database_.Run([&](Transaction& transaction) -> absl::Status {
    SLIPWAY_ASSIGN_OR_RETURN(release, FindRelease(transaction, name, version));
    return release ? absl::OkStatus() : NoSuchRelease(name, version);
  }));
  return *release;
}

template <typename Database, typename Transaction>
absl::Status SqlRegistry<Database, Transaction>::RemoveRelease(std::string_view name,
                                                               std::string_view version) {
  return database_.Run([&](Transaction& transaction) {
    return transaction.Prepare("DELETE FROM releases WHERE name = ? AND version = ?")
        .Text(name)
        .Text(version)
        .Run();
  });
}

template <typename Database, typename Transaction>
absl::Status SqlRegistry<Database, Transaction>::PutWanted(const std::vector<Wanted>& wanted) {
  return database_.Run([&](Transaction& transaction) -> absl::Status {
    for (const Wanted& entry : wanted) {
      SLIPWAY_RETURN_IF_ERROR(
          transaction
              .Prepare("INSERT INTO wanted (host, app, digest, label, rollout)"
                       " VALUES (?, ?, ?, ?, ?) ON CONFLICT (host, app) DO UPDATE SET"
                       " digest = excluded.digest, label = excluded.label,"
                       " rollout = excluded.rollout")
              .Text(entry.host.text)
              .Text(entry.app)
              .Text(entry.digest)
              .Text(entry.label)
              .Text(entry.rollout.text)
              .Run());
    }
    return absl::OkStatus();
  });
}

template <typename Database, typename Transaction>
absl::StatusOr<std::vector<Wanted>> SqlRegistry<Database, Transaction>::ListWanted() {
  return List<Wanted, Transaction>(
      database_, "SELECT host, app, digest, label, rollout FROM wanted ORDER BY host, app",
      [](const auto& row) {
        return Wanted{
            {row.TextAt(0)}, row.TextAt(1), row.TextAt(2), row.TextAt(3), {row.TextAt(4)}};
      });
}

template <typename Database, typename Transaction>
absl::StatusOr<std::optional<AnsweredRequest>> SqlRegistry<Database, Transaction>::FindRequest(
    std::string_view method, std::string_view id) {
  std::optional<AnsweredRequest> request;
  SLIPWAY_RETURN_IF_ERROR(database_.Run([&](Transaction& transaction) -> absl::Status {
    request.reset();
    auto query = transaction.Prepare("SELECT answer, at FROM requests WHERE method = ? AND id = ?");
    SLIPWAY_ASSIGN_OR_RETURN(const bool found, Exists(query.Text(method).Text(id)));
    if (!found) return absl::OkStatus();
    request =
        AnsweredRequest{std::string(method), std::string(id), query.BlobAt(0), TimeAt(query, 1)};
    return absl::OkStatus();
  }));
  return request;
}

template <typename Database, typename Transaction>
absl::Status SqlRegistry<Database, Transaction>::AddRequest(const AnsweredRequest& request) {
  return database_.Run(
      [&](Transaction& transaction) { return InsertRequest(transaction, request); });
}

template <typename Database, typename Transaction>
absl::Status SqlRegistry<Database, Transaction>::DropRequests(absl::Time before) {
  return database_.Run([&](Transaction& transaction) {
    return transaction.Prepare("DELETE FROM requests WHERE at < ?").Int(ToMicros(before)).Run();
  });
}

template <typename Database, typename Transaction>
absl::Status SqlRegistry<Database, Transaction>::ReserveIn(Transaction& transaction,
                                                           const NewRollout& rollout) {
  if (rollout.request) SLIPWAY_RETURN_IF_ERROR(InsertRequest(transaction, *rollout.request));
  std::vector<HostLock> held;
  for (const HostId& host : rollout.hosts) {
    auto query =
        transaction.Prepare("SELECT host, rollout, who, reason, at FROM locks WHERE host = ?");
    SLIPWAY_ASSIGN_OR_RETURN(const bool locked, Exists(query.Text(host.text)));
    if (locked) held.push_back(LockAt(query));
  }
  if (!held.empty()) return HostsLocked(held);
  for (const HostId& host : rollout.hosts) {
    SLIPWAY_RETURN_IF_ERROR(transaction
                                .Prepare("INSERT INTO locks (host, rollout, who, reason, at)"
                                         " VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING")
                                .Text(host.text)
                                .Text(rollout.id.text)
                                .Text(rollout.who)
                                .Text(rollout.reason)
                                .Int(ToMicros(rollout.at))
                                .Run());
  }
  return absl::OkStatus();
}

template class SqlRegistry<SqliteDatabase, SqliteConnection>;
template class SqlRegistry<PostgresDatabase, PostgresTransaction>;

}  // namespace slipway::controller
