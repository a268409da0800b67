// What is not a rollout event: hosts, tokens, locks, releases, answered requests. Plain tables in
// the same database as the journal.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "controller/registry/records.h"

namespace slipway::controller {

// Thread-safe. Each call is one transaction, durable when it returns. Besides the errors named,
// every call may give RESOURCE_EXHAUSTED (disk full, nothing was written), UNAVAILABLE (a retry may
// help) and DATA_LOSS (the database is damaged). Lists are in ascending order of their keys.
class Registry {
 public:
  virtual ~Registry() = default;

  // --- Hosts ---

  // Enrols a host or gives it a new certificate. Labels and certificate are replaced, the state
  // becomes `enrolled`; cordon, times and report stay.
  virtual absl::Status PutHost(const HostId& host, const Labels& labels,
                               const Certificate& certificate) = 0;
  // The host was connected at `at`, and said `report` of itself; "" = what it said before still
  // holds. Called when sessions begin and end and when a report differs, never for a beat.
  // Errors: NOT_FOUND.
  virtual absl::Status MarkSeen(const HostId& host, absl::Time at, std::string_view report) = 0;
  // Errors: NOT_FOUND.
  virtual absl::Status SetHostState(const HostId& host, HostRecord::State state,
                                    std::string_view reason) = 0;
  // Sets or lifts (nullopt) the cordon. Errors: NOT_FOUND.
  virtual absl::Status SetCordon(const HostId& host, const std::optional<Cordon>& cordon) = 0;
  // Sets `set`, then removes `removed`; other labels stay. Errors: NOT_FOUND.
  virtual absl::Status ChangeLabels(const HostId& host, const Labels& set,
                                    const std::vector<std::string>& removed) = 0;
  // Errors: NOT_FOUND.
  virtual absl::StatusOr<HostRecord> GetHost(const HostId& host) = 0;
  virtual absl::StatusOr<std::vector<HostRecord>> ListHosts() = 0;

  // --- Enrolment tokens ---

  // Errors: ALREADY_EXISTS (same hash).
  virtual absl::Status AddToken(const EnrolToken& token) = 0;
  // Spends the token for `key` (the hash of a public key), once; the same key may repeat it while
  // the token lives, so that a lost answer strands nobody.
  // Errors: NOT_FOUND (no such token, or for another host), FAILED_PRECONDITION (spent by another
  // key, or expired at `now`).
  virtual absl::StatusOr<EnrolToken> ConsumeToken(std::string_view hash, const HostId& host,
                                                  std::string_view key, absl::Time now) = 0;
  virtual absl::StatusOr<std::vector<EnrolToken>> ListTokens() = 0;
  // Forgets tokens that expired before `before`.
  virtual absl::Status DropTokens(absl::Time before) = 0;

  // --- Locks: taken by Store::CreateRollout ---

  virtual absl::StatusOr<std::vector<HostLock>> ListLocks() = 0;
  // Frees all hosts of the rollout. Repeating it is harmless.
  virtual absl::Status ReleaseLocks(const RolloutId& rollout) = 0;

  // --- Releases ---

  // Adding the same digest again is harmless and keeps the first record.
  // Errors: ALREADY_EXISTS (this name and version has another digest: a release is immutable).
  virtual absl::Status AddRelease(const ReleaseRecord& release) = 0;
  virtual absl::StatusOr<std::vector<ReleaseRecord>> ListReleases() = 0;
  // Errors: NOT_FOUND.
  virtual absl::StatusOr<ReleaseRecord> GetRelease(std::string_view name,
                                                   std::string_view version) = 0;
  // Repeating it is harmless.
  virtual absl::Status RemoveRelease(std::string_view name, std::string_view version) = 0;

  // --- What hosts should have ---

  // Replaces the entries with the same host and app.
  virtual absl::Status PutWanted(const std::vector<Wanted>& wanted) = 0;
  virtual absl::StatusOr<std::vector<Wanted>> ListWanted() = 0;

  // --- Idempotency ---

  // nullopt: this request was not answered yet.
  virtual absl::StatusOr<std::optional<AnsweredRequest>> FindRequest(std::string_view method,
                                                                     std::string_view id) = 0;
  // Errors: ALREADY_EXISTS (answered before: look it up).
  virtual absl::Status AddRequest(const AnsweredRequest& request) = 0;
  // Forgets requests answered before `before`.
  virtual absl::Status DropRequests(absl::Time before) = 0;
};

}  // namespace slipway::controller
