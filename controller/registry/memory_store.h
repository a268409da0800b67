// A store that lives as long as its object: for tests and the simulator.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <utility>

#include "common/mutex.h"
#include "controller/journal/memory_journal.h"
#include "controller/registry/store.h"

namespace slipway::controller {

// Thread-safe.
class MemoryRegistry final : public Registry {
 public:
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

  // The locks and the request of a new rollout, or nothing. Errors: as Store::CreateRollout.
  absl::Status Reserve(const NewRollout& rollout);

 private:
  using Pair = std::pair<std::string, std::string>;

  absl::Status Change(const HostId& host, const std::function<void(HostRecord&)>& change);

  Mutex mu_;
  std::map<HostId, HostRecord> hosts_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, EnrolToken> tokens_ ABSL_GUARDED_BY(mu_);
  std::map<HostId, HostLock> locks_ ABSL_GUARDED_BY(mu_);
  std::map<Pair, ReleaseRecord> releases_ ABSL_GUARDED_BY(mu_);
  std::map<std::pair<HostId, std::string>, Wanted> wanted_ ABSL_GUARDED_BY(mu_);
  std::map<Pair, AnsweredRequest> requests_ ABSL_GUARDED_BY(mu_);
};

// Thread-safe.
class MemoryStore final : public Store {
 public:
  Journal& journal() override { return journal_; }
  Registry& registry() override { return registry_; }
  absl::StatusOr<Lease> CreateRollout(const NewRollout& rollout) override;

 private:
  Mutex creating_;  // one rollout begins at a time
  MemoryJournal journal_;
  MemoryRegistry registry_;
};

}  // namespace slipway::controller
