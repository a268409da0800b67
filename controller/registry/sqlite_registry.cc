#include "controller/registry/sqlite_registry.h"

#include <map>
#include <utility>

#include "common/status_macros.h"
#include "controller/journal/micros.h"
#include "controller/registry/refusals.h"

namespace slipway::controller {
namespace {

// Statements name their columns in the order of the struct in records.h.

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

absl::Time TimeAt(const SqliteQuery& query, int column) {
  return TimeFromMicros(query.IntAt(column));
}

// Calls `row` for each row that `query` gives.
template <typename Row>
absl::Status ForEach(SqliteQuery& query, Row row) {
  SLIPWAY_ASSIGN_OR_RETURN(bool more, query.Next());
  while (more) {
    row(query);
    SLIPWAY_ASSIGN_OR_RETURN(more, query.Next());
  }
  return absl::OkStatus();
}

// All rows of a statement without parameters.
template <typename Value, typename Make>
absl::StatusOr<std::vector<Value>> List(SqliteDatabase& database, const char* sql, Make make) {
  std::vector<Value> values;
  SLIPWAY_RETURN_IF_ERROR(database.Run([&](SqliteConnection& connection) {
    values.clear();
    SqliteQuery query = connection.Prepare(sql);
    return ForEach(query, [&](const SqliteQuery& row) { values.push_back(make(row)); });
  }));
  return values;
}

absl::StatusOr<bool> Exists(SqliteQuery& query) {
  return query.Next();
}

absl::Status RequireHost(SqliteConnection& connection, const HostId& host) {
  SqliteQuery query = connection.Prepare("SELECT 1 FROM hosts WHERE id = ?");
  SLIPWAY_ASSIGN_OR_RETURN(const bool found, Exists(query.Text(host.text)));
  return found ? absl::OkStatus() : NoSuchHost(host);
}

HostRecord HostAt(const SqliteQuery& row) {
  HostRecord host;
  host.id = {row.TextAt(0)};
  host.certificate = {row.TextAt(1), row.TextAt(2), row.TextAt(3)};
  host.state = StateFromText(row.At(4));
  host.state_reason = row.TextAt(5);
  host.first_seen = TimeAt(row, 6);
  host.last_seen = TimeAt(row, 7);
  if (row.IntAt(8) != 0) host.cordon = Cordon{row.TextAt(9), row.TextAt(10), TimeAt(row, 11)};
  return host;
}

// Hosts in ascending order, with their labels; `only`: that one, or none.
absl::Status ReadHosts(SqliteConnection& connection, const HostId* only,
                       std::vector<HostRecord>& hosts) {
  hosts.clear();
  std::map<HostId, Labels> labels;
  const std::string id = only == nullptr ? "" : only->text;
  SqliteQuery named =
      connection.Prepare("SELECT host, name, value FROM host_labels WHERE ?1 = '' OR host = ?1");
  SLIPWAY_RETURN_IF_ERROR(ForEach(named.Text(id), [&](const SqliteQuery& row) {
    labels[{row.TextAt(0)}][row.TextAt(1)] = row.TextAt(2);
  }));
  SqliteQuery query = connection.Prepare(
      "SELECT h.id, serial, fingerprint, pem, state, state_reason, first_seen, last_seen,"
      " c.host IS NOT NULL, c.who, c.why, c.at"
      " FROM hosts h LEFT JOIN cordons c ON c.host = h.id"
      " WHERE ?1 = '' OR h.id = ?1 ORDER BY h.id");
  return ForEach(query.Text(id), [&](const SqliteQuery& row) {
    hosts.push_back(HostAt(row));
    hosts.back().labels = labels[hosts.back().id];
  });
}

absl::Status PutHostLabels(SqliteConnection& connection, const HostId& host, const Labels& labels) {
  SLIPWAY_RETURN_IF_ERROR(
      connection.Prepare("DELETE FROM host_labels WHERE host = ?").Text(host.text).Run());
  for (const auto& [name, value] : labels) {
    SLIPWAY_RETURN_IF_ERROR(
        connection.Prepare("INSERT INTO host_labels (host, name, value) VALUES (?, ?, ?)")
            .Text(host.text)
            .Text(name)
            .Text(value)
            .Run());
  }
  return absl::OkStatus();
}

// Tokens in ascending order, with their labels; `only`: that one, or none; "" = all.
absl::Status ReadTokens(SqliteConnection& connection, std::string_view only,
                        std::vector<EnrolToken>& tokens) {
  tokens.clear();
  std::map<std::string, Labels> labels;
  SqliteQuery named =
      connection.Prepare("SELECT token, name, value FROM token_labels WHERE ?1 = '' OR token = ?1");
  SLIPWAY_RETURN_IF_ERROR(ForEach(named.Text(only), [&](const SqliteQuery& row) {
    labels[row.TextAt(0)][row.TextAt(1)] = row.TextAt(2);
  }));
  SqliteQuery query = connection.Prepare(
      "SELECT hash, host, created_by, expires, used_by_key FROM tokens"
      " WHERE ?1 = '' OR hash = ?1 ORDER BY hash");
  return ForEach(query.Text(only), [&](const SqliteQuery& row) {
    tokens.push_back({row.TextAt(0),
                      {row.TextAt(1)},
                      labels[row.TextAt(0)],
                      row.TextAt(2),
                      TimeAt(row, 3),
                      row.TextAt(4)});
  });
}

ReleaseRecord ReleaseAt(const SqliteQuery& row) {
  return {row.TextAt(0), row.TextAt(1), row.TextAt(2),
          row.UintAt(3), row.TextAt(4), TimeAt(row, 5)};
}

absl::StatusOr<std::optional<ReleaseRecord>> FindRelease(SqliteConnection& connection,
                                                         std::string_view name,
                                                         std::string_view version) {
  SqliteQuery query = connection.Prepare(
      "SELECT name, version, digest, size, pushed_by, pushed_at FROM releases"
      " WHERE name = ? AND version = ?");
  SLIPWAY_ASSIGN_OR_RETURN(const bool found, Exists(query.Text(name).Text(version)));
  if (!found) return std::nullopt;
  return ReleaseAt(query);
}

HostLock LockAt(const SqliteQuery& row) {
  return {{row.TextAt(0)}, {row.TextAt(1)}, row.TextAt(2), row.TextAt(3), TimeAt(row, 4)};
}

absl::Status InsertRequest(SqliteConnection& connection, const AnsweredRequest& request) {
  SqliteQuery known = connection.Prepare("SELECT 1 FROM requests WHERE method = ? AND id = ?");
  SLIPWAY_ASSIGN_OR_RETURN(const bool found, Exists(known.Text(request.method).Text(request.id)));
  if (found) return AnsweredBefore(request.method, request.id);
  return connection.Prepare("INSERT INTO requests (method, id, answer, at) VALUES (?, ?, ?, ?)")
      .Text(request.method)
      .Text(request.id)
      .Blob(request.answer)
      .Int(ToMicros(request.at))
      .Run();
}

}  // namespace

absl::Status SqliteRegistry::PutHost(const HostId& host, const Labels& labels,
                                     const Certificate& certificate) {
  return database_.Run([&](SqliteConnection& connection) -> absl::Status {
    SLIPWAY_RETURN_IF_ERROR(
        connection
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
    return PutHostLabels(connection, host, labels);
  });
}

absl::Status SqliteRegistry::MarkSeen(const HostId& host, absl::Time at) {
  return database_.Run([&](SqliteConnection& connection) -> absl::Status {
    SLIPWAY_RETURN_IF_ERROR(RequireHost(connection, host));
    return connection
        .Prepare(
            "UPDATE hosts SET first_seen = min(first_seen, ?1), last_seen = max(last_seen, ?1)"
            " WHERE id = ?2")
        .Int(ToMicros(at))
        .Text(host.text)
        .Run();
  });
}

absl::Status SqliteRegistry::SetHostState(const HostId& host, HostRecord::State state,
                                          std::string_view reason) {
  return database_.Run([&](SqliteConnection& connection) -> absl::Status {
    SLIPWAY_RETURN_IF_ERROR(RequireHost(connection, host));
    return connection.Prepare("UPDATE hosts SET state = ?, state_reason = ? WHERE id = ?")
        .Text(ToText(state))
        .Text(reason)
        .Text(host.text)
        .Run();
  });
}

absl::Status SqliteRegistry::SetCordon(const HostId& host, const std::optional<Cordon>& cordon) {
  return database_.Run([&](SqliteConnection& connection) -> absl::Status {
    SLIPWAY_RETURN_IF_ERROR(RequireHost(connection, host));
    SLIPWAY_RETURN_IF_ERROR(
        connection.Prepare("DELETE FROM cordons WHERE host = ?").Text(host.text).Run());
    if (!cordon) return absl::OkStatus();
    return connection.Prepare("INSERT INTO cordons (host, who, why, at) VALUES (?, ?, ?, ?)")
        .Text(host.text)
        .Text(cordon->who)
        .Text(cordon->why)
        .Int(ToMicros(cordon->at))
        .Run();
  });
}

absl::StatusOr<HostRecord> SqliteRegistry::GetHost(const HostId& host) {
  std::vector<HostRecord> hosts;
  SLIPWAY_RETURN_IF_ERROR(database_.Run([&](SqliteConnection& connection) -> absl::Status {
    SLIPWAY_RETURN_IF_ERROR(RequireHost(connection, host));
    return ReadHosts(connection, &host, hosts);
  }));
  return hosts.front();
}

absl::StatusOr<std::vector<HostRecord>> SqliteRegistry::ListHosts() {
  std::vector<HostRecord> hosts;
  SLIPWAY_RETURN_IF_ERROR(database_.Run(
      [&](SqliteConnection& connection) { return ReadHosts(connection, nullptr, hosts); }));
  return hosts;
}

absl::Status SqliteRegistry::AddToken(const EnrolToken& token) {
  return database_.Run([&](SqliteConnection& connection) -> absl::Status {
    SqliteQuery known = connection.Prepare("SELECT 1 FROM tokens WHERE hash = ?");
    SLIPWAY_ASSIGN_OR_RETURN(const bool found, Exists(known.Text(token.hash)));
    if (found) return absl::AlreadyExistsError("this token exists already");
    SLIPWAY_RETURN_IF_ERROR(
        connection
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
          connection.Prepare("INSERT INTO token_labels (token, name, value) VALUES (?, ?, ?)")
              .Text(token.hash)
              .Text(name)
              .Text(value)
              .Run());
    }
    return absl::OkStatus();
  });
}

absl::StatusOr<EnrolToken> SqliteRegistry::ConsumeToken(std::string_view hash, const HostId& host,
                                                        std::string_view key, absl::Time now) {
  std::vector<EnrolToken> tokens;
  SLIPWAY_RETURN_IF_ERROR(database_.Run([&](SqliteConnection& connection) -> absl::Status {
    if (hash.empty()) return NoSuchToken();
    SLIPWAY_RETURN_IF_ERROR(ReadTokens(connection, hash, tokens));
    if (tokens.empty() || tokens.front().host != host) return NoSuchToken();
    SLIPWAY_RETURN_IF_ERROR(MaySpend(tokens.front(), key, now));
    tokens.front().used_by_key = key;
    return connection.Prepare("UPDATE tokens SET used_by_key = ? WHERE hash = ?")
        .Text(key)
        .Text(hash)
        .Run();
  }));
  return tokens.front();
}

absl::StatusOr<std::vector<EnrolToken>> SqliteRegistry::ListTokens() {
  std::vector<EnrolToken> tokens;
  SLIPWAY_RETURN_IF_ERROR(database_.Run(
      [&](SqliteConnection& connection) { return ReadTokens(connection, "", tokens); }));
  return tokens;
}

absl::Status SqliteRegistry::DropTokens(absl::Time before) {
  return database_.Run([&](SqliteConnection& connection) {
    return connection.Prepare("DELETE FROM tokens WHERE expires < ?").Int(ToMicros(before)).Run();
  });
}

absl::StatusOr<std::vector<HostLock>> SqliteRegistry::ListLocks() {
  return List<HostLock>(database_, "SELECT host, rollout, who, reason, at FROM locks ORDER BY host",
                        LockAt);
}

absl::Status SqliteRegistry::ReleaseLocks(const RolloutId& rollout) {
  return database_.Run([&](SqliteConnection& connection) {
    return connection.Prepare("DELETE FROM locks WHERE rollout = ?").Text(rollout.text).Run();
  });
}

absl::Status SqliteRegistry::AddRelease(const ReleaseRecord& release) {
  return database_.Run([&](SqliteConnection& connection) -> absl::Status {
    SLIPWAY_ASSIGN_OR_RETURN(const std::optional<ReleaseRecord> known,
                             FindRelease(connection, release.name, release.version));
    if (known && known->digest == release.digest) return absl::OkStatus();
    if (known) return ReleaseIsImmutable(*known, release);
    return connection
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

absl::StatusOr<std::vector<ReleaseRecord>> SqliteRegistry::ListReleases() {
  return List<ReleaseRecord>(database_,
                             "SELECT name, version, digest, size, pushed_by, pushed_at"
                             " FROM releases ORDER BY name, version",
                             ReleaseAt);
}

absl::StatusOr<ReleaseRecord> SqliteRegistry::GetRelease(std::string_view name,
                                                         std::string_view version) {
  std::optional<ReleaseRecord> release;
  SLIPWAY_RETURN_IF_ERROR(database_.Run([&](SqliteConnection& connection) -> absl::Status {
    SLIPWAY_ASSIGN_OR_RETURN(release, FindRelease(connection, name, version));
    return release ? absl::OkStatus() : NoSuchRelease(name, version);
  }));
  return *release;
}

absl::Status SqliteRegistry::PutWanted(const std::vector<Wanted>& wanted) {
  return database_.Run([&](SqliteConnection& connection) -> absl::Status {
    for (const Wanted& entry : wanted) {
      SLIPWAY_RETURN_IF_ERROR(
          connection
              .Prepare("INSERT OR REPLACE INTO wanted (host, app, digest, label, rollout)"
                       " VALUES (?, ?, ?, ?, ?)")
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

absl::StatusOr<std::vector<Wanted>> SqliteRegistry::ListWanted() {
  return List<Wanted>(
      database_, "SELECT host, app, digest, label, rollout FROM wanted ORDER BY host, app",
      [](const SqliteQuery& row) {
        return Wanted{
            {row.TextAt(0)}, row.TextAt(1), row.TextAt(2), row.TextAt(3), {row.TextAt(4)}};
      });
}

absl::StatusOr<std::optional<AnsweredRequest>> SqliteRegistry::FindRequest(std::string_view method,
                                                                           std::string_view id) {
  std::optional<AnsweredRequest> request;
  SLIPWAY_RETURN_IF_ERROR(database_.Run([&](SqliteConnection& connection) -> absl::Status {
    request.reset();
    SqliteQuery query =
        connection.Prepare("SELECT answer, at FROM requests WHERE method = ? AND id = ?");
    SLIPWAY_ASSIGN_OR_RETURN(const bool found, Exists(query.Text(method).Text(id)));
    if (!found) return absl::OkStatus();
    request =
        AnsweredRequest{std::string(method), std::string(id), query.TextAt(0), TimeAt(query, 1)};
    return absl::OkStatus();
  }));
  return request;
}

absl::Status SqliteRegistry::AddRequest(const AnsweredRequest& request) {
  return database_.Run(
      [&](SqliteConnection& connection) { return InsertRequest(connection, request); });
}

absl::Status SqliteRegistry::DropRequests(absl::Time before) {
  return database_.Run([&](SqliteConnection& connection) {
    return connection.Prepare("DELETE FROM requests WHERE at < ?").Int(ToMicros(before)).Run();
  });
}

absl::Status SqliteRegistry::ReserveIn(SqliteConnection& connection, const NewRollout& rollout) {
  if (rollout.request) SLIPWAY_RETURN_IF_ERROR(InsertRequest(connection, *rollout.request));
  std::vector<HostLock> held;
  for (const HostId& host : rollout.hosts) {
    SqliteQuery query =
        connection.Prepare("SELECT host, rollout, who, reason, at FROM locks WHERE host = ?");
    SLIPWAY_ASSIGN_OR_RETURN(const bool locked, Exists(query.Text(host.text)));
    if (locked) held.push_back(LockAt(query));
  }
  if (!held.empty()) return HostsLocked(held);
  for (const HostId& host : rollout.hosts) {
    SLIPWAY_RETURN_IF_ERROR(
        connection
            .Prepare("INSERT OR IGNORE INTO locks (host, rollout, who, reason, at)"
                     " VALUES (?, ?, ?, ?, ?)")
            .Text(host.text)
            .Text(rollout.id.text)
            .Text(rollout.who)
            .Text(rollout.reason)
            .Int(ToMicros(rollout.at))
            .Run());
  }
  return absl::OkStatus();
}

}  // namespace slipway::controller
