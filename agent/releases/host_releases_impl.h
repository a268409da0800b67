// Private to agent/releases.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/releases/app_records.h"
#include "agent/releases/host_releases.h"
#include "agent/releases/release_cache.h"
#include "common/artifact/manifest.h"
#include "common/fs/directory.h"
#include "common/mutex.h"

namespace slipway::agent {

class HostReleases::Impl {
 public:
  static absl::StatusOr<std::unique_ptr<Impl>> Open(const Directory& state);

  absl::StatusOr<AppRecords*> Find(const std::string& app) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu);
  absl::StatusOr<AppRecords*> FindOrMake(const std::string& app) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu);
  // Recorded, and its folder is there.
  absl::StatusOr<StagedRelease> Staged(const std::string& app, const std::string& digest)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu);
  absl::StatusOr<agentstate::v1::DeploymentRecord> Record(const std::string& app,
                                                          const std::string& digest)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu);
  std::string DigestOfFolder(const std::string& app, const std::string& folder)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu);
  absl::StatusOr<std::string> Current(const std::string& app) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu);
  absl::Status Switch(const std::string& app, const std::string& digest)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu);
  absl::Status Collect(const std::string& app, int keep) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu);

  Mutex mu;
  std::map<std::string, AppRecords> apps ABSL_GUARDED_BY(mu);  // by application directory
  std::set<std::string> staging ABSL_GUARDED_BY(mu);           // apps with a Stage under way

  Mutex cache_mu;
  ReleaseCache cache ABSL_GUARDED_BY(cache_mu);

 private:
  Impl(Directory apps_dir, Directory cache_dir)
      : cache(std::move(cache_dir)), apps_dir_(std::move(apps_dir)) {}
  absl::Status Load() ABSL_LOCKS_EXCLUDED(mu);
  absl::Status RemoveRelease(const Directory& releases, AppRecords& records,
                             const std::string& digest) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu);

  const Directory apps_dir_;  // STATE/releases/apps
};

// The definition that the manifest carries, with its digest.
absl::StatusOr<v1::Release> ReleaseIn(const Manifest& manifest, const std::string& digest);

}  // namespace slipway::agent
