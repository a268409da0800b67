#include "controller/registry/memory_store.h"

#include <algorithm>
#include <functional>

#include "common/status_macros.h"
#include "controller/registry/refusals.h"

namespace slipway::controller {
namespace {

template <typename Map>
auto Values(const Map& map) {
  std::vector<typename Map::mapped_type> values;
  for (const auto& [key, value] : map) values.push_back(value);
  return values;
}

std::pair<std::string, std::string> Key(std::string_view a, std::string_view b) {
  return {std::string(a), std::string(b)};
}

}  // namespace

absl::Status MemoryRegistry::PutHost(const HostId& host, const Labels& labels,
                                     const Certificate& certificate) {
  MutexLock lock(mu_);
  HostRecord& record = hosts_[host];
  record.id = host;
  record.labels = labels;
  record.certificate = certificate;
  record.state = HostRecord::State::enrolled;
  record.state_reason.clear();
  return absl::OkStatus();
}

absl::Status MemoryRegistry::Change(const HostId& host,
                                    const std::function<void(HostRecord&)>& change) {
  MutexLock lock(mu_);
  const auto found = hosts_.find(host);
  if (found == hosts_.end()) return NoSuchHost(host);
  change(found->second);
  return absl::OkStatus();
}

absl::Status MemoryRegistry::MarkSeen(const HostId& host, absl::Time at, std::string_view report) {
  return Change(host, [at, report](HostRecord& record) {
    record.first_seen = std::min(record.first_seen, at);
    record.last_seen = std::max(record.last_seen, at);
    if (!report.empty()) record.report = report;
  });
}

absl::Status MemoryRegistry::SetHostState(const HostId& host, HostRecord::State state,
                                          std::string_view reason) {
  return Change(host, [&](HostRecord& record) {
    record.state = state;
    record.state_reason = reason;
  });
}

absl::Status MemoryRegistry::SetCordon(const HostId& host, const std::optional<Cordon>& cordon) {
  return Change(host, [&](HostRecord& record) { record.cordon = cordon; });
}

absl::Status MemoryRegistry::ChangeLabels(const HostId& host, const Labels& set,
                                          const std::vector<std::string>& removed) {
  return Change(host, [&](HostRecord& record) {
    for (const auto& [name, value] : set) record.labels[name] = value;
    for (const std::string& name : removed) record.labels.erase(name);
  });
}

absl::StatusOr<HostRecord> MemoryRegistry::GetHost(const HostId& host) {
  MutexLock lock(mu_);
  const auto found = hosts_.find(host);
  if (found == hosts_.end()) return NoSuchHost(host);
  return found->second;
}

absl::StatusOr<std::vector<HostRecord>> MemoryRegistry::ListHosts() {
  MutexLock lock(mu_);
  return Values(hosts_);
}

absl::Status MemoryRegistry::AddToken(const EnrolToken& token) {
  MutexLock lock(mu_);
  if (tokens_.emplace(token.hash, token).second) return absl::OkStatus();
  return absl::AlreadyExistsError("this token exists already");
}

absl::StatusOr<EnrolToken> MemoryRegistry::ConsumeToken(std::string_view hash, const HostId& host,
                                                        std::string_view key, absl::Time now) {
  MutexLock lock(mu_);
  const auto found = tokens_.find(std::string(hash));
  if (found == tokens_.end() || found->second.host != host) return NoSuchToken();
  SLIPWAY_RETURN_IF_ERROR(MaySpend(found->second, key, now));
  found->second.used_by_key = key;
  return found->second;
}

absl::StatusOr<std::vector<EnrolToken>> MemoryRegistry::ListTokens() {
  MutexLock lock(mu_);
  return Values(tokens_);
}

absl::Status MemoryRegistry::DropTokens(absl::Time before) {
  MutexLock lock(mu_);
  std::erase_if(tokens_, [before](const auto& entry) { return entry.second.expires < before; });
  return absl::OkStatus();
}

absl::StatusOr<std::vector<HostLock>> MemoryRegistry::ListLocks() {
  MutexLock lock(mu_);
  return Values(locks_);
}

absl::Status MemoryRegistry::ReleaseLocks(const RolloutId& rollout) {
  MutexLock lock(mu_);
  std::erase_if(locks_, [&](const auto& entry) { return entry.second.rollout == rollout; });
  return absl::OkStatus();
}

absl::Status MemoryRegistry::AddRelease(const ReleaseRecord& release) {
  MutexLock lock(mu_);
  const auto [known, added] = releases_.emplace(Key(release.name, release.version), release);
  if (added || known->second.digest == release.digest) return absl::OkStatus();
  return ReleaseIsImmutable(known->second, release);
}

absl::StatusOr<std::vector<ReleaseRecord>> MemoryRegistry::ListReleases() {
  MutexLock lock(mu_);
  return Values(releases_);
}

absl::StatusOr<ReleaseRecord> MemoryRegistry::GetRelease(std::string_view name,
                                                         std::string_view version) {
  MutexLock lock(mu_);
  const auto found = releases_.find(Key(name, version));
  if (found == releases_.end()) return NoSuchRelease(name, version);
  return found->second;
}

absl::Status MemoryRegistry::RemoveRelease(std::string_view name, std::string_view version) {
  MutexLock lock(mu_);
  releases_.erase(Key(name, version));
  return absl::OkStatus();
}

absl::Status MemoryRegistry::PutWanted(const std::vector<Wanted>& wanted) {
  MutexLock lock(mu_);
  for (const Wanted& entry : wanted) wanted_[{entry.host, entry.app}] = entry;
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Wanted>> MemoryRegistry::ListWanted() {
  MutexLock lock(mu_);
  return Values(wanted_);
}

absl::StatusOr<std::optional<AnsweredRequest>> MemoryRegistry::FindRequest(std::string_view method,
                                                                           std::string_view id) {
  MutexLock lock(mu_);
  const auto found = requests_.find(Key(method, id));
  if (found == requests_.end()) return std::nullopt;
  return found->second;
}

absl::Status MemoryRegistry::AddRequest(const AnsweredRequest& request) {
  MutexLock lock(mu_);
  if (requests_.emplace(Key(request.method, request.id), request).second) return absl::OkStatus();
  return AnsweredBefore(request.method, request.id);
}

absl::Status MemoryRegistry::DropRequests(absl::Time before) {
  MutexLock lock(mu_);
  std::erase_if(requests_, [before](const auto& entry) { return entry.second.at < before; });
  return absl::OkStatus();
}

absl::Status MemoryRegistry::Reserve(const NewRollout& rollout) {
  MutexLock lock(mu_);
  const auto& request = rollout.request;
  if (request && requests_.contains(Key(request->method, request->id))) {
    return AnsweredBefore(request->method, request->id);
  }
  std::vector<HostLock> held;
  for (const HostId& host : rollout.hosts) {
    if (const auto lock = locks_.find(host); lock != locks_.end()) held.push_back(lock->second);
  }
  if (!held.empty()) return HostsLocked(held);
  for (const HostId& host : rollout.hosts) {
    locks_[host] = {host, rollout.id, rollout.who, rollout.reason, rollout.at};
  }
  if (request) requests_[Key(request->method, request->id)] = *request;
  return absl::OkStatus();
}

absl::StatusOr<Lease> MemoryStore::CreateRollout(const NewRollout& rollout) {
  MutexLock lock(creating_);
  SLIPWAY_ASSIGN_OR_RETURN(const std::vector<Record> known, journal_.Read(rollout.id, 1));
  if (!known.empty()) return RolloutExists(rollout.id);
  SLIPWAY_RETURN_IF_ERROR(registry_.Reserve(rollout));
  SLIPWAY_ASSIGN_OR_RETURN(Lease lease, journal_.Acquire(rollout.id));
  SLIPWAY_RETURN_IF_ERROR(journal_.Append(rollout.id, lease, {rollout.first_record}));
  return lease;
}

}  // namespace slipway::controller
