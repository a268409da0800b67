// What the agent knows of one application directory, in memory and on disk.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/fs/directory.h"

namespace slipway::agentstate::v1 {
class BeforeRecord;
class DeploymentRecord;
class FileRecord;
}  // namespace slipway::agentstate::v1

namespace slipway::agent {

// A staged release, without what is large.
struct StagedRelease {
  std::string version;
  std::string component;
  std::string folder;  // below APP/releases
  bool healthy = false;
  std::uint64_t sequence = 0;  // of the last stage or switch
};

// One thread at a time. What a call changed is durable when it returns.
class AppRecords {
 public:
  // The folder in the agent's state that belongs to `app`.
  static std::string FolderName(const std::string& app);

  static absl::StatusOr<AppRecords> Create(Directory dir, const std::string& app);
  // DATA_LOSS names a damaged record.
  static absl::StatusOr<AppRecords> Load(Directory dir);

  const std::string& app() const { return app_; }
  const std::string& previous() const { return previous_; }
  const std::map<std::string, StagedRelease>& staged() const { return staged_; }  // by digest
  bool IsPinned(const std::string& digest) const;

  absl::Status SetPrevious(const std::string& digest);
  absl::Status Pin(const std::string& digest, const std::string& rollout);
  absl::Status Unpin(const std::string& digest, const std::string& rollout);
  absl::Status UnpinAll(const std::string& rollout);

  // Adds or replaces the record of a release; sets its sequence.
  absl::Status Add(agentstate::v1::DeploymentRecord record);
  absl::Status Drop(const std::string& digest);
  // NOT_FOUND when not staged.
  absl::StatusOr<agentstate::v1::DeploymentRecord> Get(const std::string& digest) const;
  absl::Status MarkUsed(const std::string& digest);
  absl::Status MarkHealthy(const std::string& digest);
  absl::Status AddRendered(const std::string& digest, const agentstate::v1::FileRecord& file);

  // The first file of that path in that rollout counts.
  absl::Status AddBefore(const std::string& rollout, const agentstate::v1::FileRecord& file);
  absl::StatusOr<agentstate::v1::FileRecord> Before(const std::string& rollout,
                                                    const std::string& path) const;
  // The first word on that service in that rollout counts.
  absl::Status AddServiceBefore(const std::string& rollout, const std::string& service,
                                bool running);
  absl::StatusOr<bool> ServiceBefore(const std::string& rollout, const std::string& service) const;

 private:
  AppRecords(Directory dir, Directory releases, Directory before);
  absl::Status Save();
  absl::Status Write(const agentstate::v1::DeploymentRecord& record);
  absl::Status LoadReleases();
  // Empty when the rollout has none yet.
  absl::StatusOr<agentstate::v1::BeforeRecord> BeforeOf(const std::string& rollout) const;
  absl::Status WriteBefore(agentstate::v1::BeforeRecord record);
  absl::Status MakeDurable() const;
  absl::Status PruneBefore();

  Directory dir_, releases_, before_;
  std::string app_;
  std::string previous_;
  std::set<std::pair<std::string, std::string>> pins_;  // digest, rollout
  std::map<std::string, StagedRelease> staged_;
  std::uint64_t next_sequence_ = 1;
};

}  // namespace slipway::agent
