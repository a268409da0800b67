// Which release is live, turning it, and collecting those that nobody needs.
#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/releases/host_releases_impl.h"
#include "agent/releases/staging.h"
#include "common/status_macros.h"
#include "slipway/agentstate/v1/deployment.pb.h"

namespace slipway::agent {
namespace {

constexpr char kCurrent[] = "current";
constexpr char kReleases[] = "releases/";
constexpr int kKeepDefault = 5;

bool StartsWith(const std::string& text, const std::string& prefix) {
  return text.compare(0, prefix.size(), prefix) == 0;
}

absl::Status CheckApp(const std::string& app) {
  const bool absolute = app.size() > 1 && app.front() == '/';
  if (absolute && ValidatePath(app.substr(1)).ok()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("\"", app, "\" is not the absolute path of an application directory"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<HostReleases::Impl>> HostReleases::Impl::Open(
    const Directory& state) {
  SLIPWAY_ASSIGN_OR_RETURN(const Directory root, state.MakeBelow("releases", 0711));
  SLIPWAY_ASSIGN_OR_RETURN(Directory apps_dir, root.MakeBelow("apps", 0700));
  SLIPWAY_ASSIGN_OR_RETURN(Directory cache_dir, root.MakeBelow("cache", 0711));
  std::unique_ptr<Impl> impl(new Impl(std::move(apps_dir), std::move(cache_dir)));
  SLIPWAY_RETURN_IF_ERROR(impl->Load());
  // Also what the process before made and did not come to sync.
  SLIPWAY_RETURN_IF_ERROR(impl->apps_dir_.Sync());
  SLIPWAY_RETURN_IF_ERROR(root.Sync());
  SLIPWAY_RETURN_IF_ERROR(state.Sync());
  return impl;
}

absl::Status HostReleases::Impl::Load() {
  const MutexLock lock(mu);
  SLIPWAY_ASSIGN_OR_RETURN(const std::vector<std::string> names, apps_dir_.List());
  for (const std::string& name : names) {
    SLIPWAY_ASSIGN_OR_RETURN(Directory dir, apps_dir_.Below(name));
    SLIPWAY_ASSIGN_OR_RETURN(const bool begun, dir.Exists("app"));
    if (!begun) continue;  // a crash came before the first record
    SLIPWAY_ASSIGN_OR_RETURN(AppRecords records, AppRecords::Load(std::move(dir)));
    const std::string app = records.app();
    apps.emplace(app, std::move(records));
  }
  return absl::OkStatus();
}

absl::StatusOr<AppRecords*> HostReleases::Impl::Find(const std::string& app) {
  const auto it = apps.find(app);
  if (it != apps.end()) return &it->second;
  return absl::NotFoundError(absl::StrCat("nothing was deployed to ", app, " by this agent"));
}

absl::StatusOr<AppRecords*> HostReleases::Impl::FindOrMake(const std::string& app) {
  const auto it = apps.find(app);
  if (it != apps.end()) return &it->second;
  SLIPWAY_RETURN_IF_ERROR(CheckApp(app));
  SLIPWAY_ASSIGN_OR_RETURN(Directory dir, apps_dir_.MakeBelow(AppRecords::FolderName(app), 0700));
  SLIPWAY_ASSIGN_OR_RETURN(AppRecords records, AppRecords::Create(std::move(dir), app));
  SLIPWAY_RETURN_IF_ERROR(apps_dir_.Sync());
  return &apps.emplace(app, std::move(records)).first->second;
}

absl::StatusOr<StagedRelease> HostReleases::Impl::Staged(const std::string& app,
                                                         const std::string& digest) {
  const auto missing = [&] {
    return absl::NotFoundError(absl::StrCat("release ", digest, " is not staged in ", app));
  };
  const auto records = apps.find(app);
  if (records == apps.end()) return missing();
  const auto staged = records->second.staged().find(digest);
  if (staged == records->second.staged().end()) return missing();
  const auto root = Directory::Open(app);
  if (!root.ok() || !root->Below(kReleases + staged->second.folder).ok()) return missing();
  return staged->second;
}

absl::StatusOr<agentstate::v1::DeploymentRecord> HostReleases::Impl::Record(
    const std::string& app, const std::string& digest) {
  SLIPWAY_RETURN_IF_ERROR(Staged(app, digest).status());
  SLIPWAY_ASSIGN_OR_RETURN(const AppRecords* const records, Find(app));
  return records->Get(digest);
}

std::string HostReleases::Impl::DigestOfFolder(const std::string& app, const std::string& folder) {
  const auto records = apps.find(app);
  if (records == apps.end()) return "";
  for (const auto& [digest, staged] : records->second.staged()) {
    if (staged.folder == folder) return digest;
  }
  return "";
}

absl::StatusOr<std::string> HostReleases::Impl::Current(const std::string& app) {
  const auto root = Directory::Open(app);
  if (absl::IsNotFound(root.status())) return "";
  SLIPWAY_RETURN_IF_ERROR(root.status());
  const auto info = root->Stat(kCurrent);
  if (absl::IsNotFound(info.status())) return "";
  SLIPWAY_RETURN_IF_ERROR(info.status());
  std::string target = "no symbolic link";
  if (info->kind == FileKind::symlink) {
    SLIPWAY_ASSIGN_OR_RETURN(target, root->ReadLink(kCurrent));
    if (StartsWith(target, kReleases)) {
      const std::string digest = DigestOfFolder(app, target.substr(sizeof kReleases - 1));
      if (!digest.empty()) return digest;
    }
  }
  return absl::FailedPreconditionError(
      absl::StrCat(app, "/current was not made by this agent (it is ", target,
                   "): move it away, or adopt what it names"));
}

absl::Status HostReleases::Impl::Switch(const std::string& app, const std::string& digest) {
  SLIPWAY_ASSIGN_OR_RETURN(const std::string live, Current(app));
  if (live == digest) return absl::OkStatus();
  SLIPWAY_ASSIGN_OR_RETURN(AppRecords* const records, Find(app));
  SLIPWAY_ASSIGN_OR_RETURN(const Directory root, Directory::Open(app));
  if (digest.empty()) {
    SLIPWAY_RETURN_IF_ERROR(records->SetPrevious(live));
    SLIPWAY_RETURN_IF_ERROR(root.RemoveFile(kCurrent));
    return root.Sync();
  }
  SLIPWAY_ASSIGN_OR_RETURN(const StagedRelease staged, Staged(app, digest));
  SLIPWAY_RETURN_IF_ERROR(records->MarkUsed(digest));
  SLIPWAY_RETURN_IF_ERROR(records->SetPrevious(live));
  return root.PointLink(kCurrent, kReleases + staged.folder);
}

absl::Status HostReleases::Impl::RemoveRelease(const Directory& releases, AppRecords& records,
                                               const std::string& digest) {
  const std::string folder = records.staged().at(digest).folder;
  const std::string removing = kRemovingPrefix + folder;
  // First out of sight, then out of the records: what is recorded is always whole.
  const absl::Status renamed = releases.Rename(folder, removing);
  if (!renamed.ok() && !absl::IsNotFound(renamed)) return renamed;
  SLIPWAY_RETURN_IF_ERROR(releases.Sync());
  SLIPWAY_RETURN_IF_ERROR(records.Drop(digest));
  return releases.RemoveTree(removing);
}

absl::Status HostReleases::Impl::Collect(const std::string& app, int keep) {
  SLIPWAY_ASSIGN_OR_RETURN(AppRecords* const records, Find(app));
  SLIPWAY_ASSIGN_OR_RETURN(const std::string live, Current(app));  // foreign: touch nothing
  SLIPWAY_ASSIGN_OR_RETURN(const Directory root, Directory::Open(app));
  SLIPWAY_ASSIGN_OR_RETURN(const Directory releases, root.MakeBelow("releases", 0755));
  std::vector<std::pair<std::uint64_t, std::string>> newest_first;
  for (const auto& [digest, staged] : records->staged()) {
    if (!records->IsPinned(digest)) newest_first.emplace_back(staged.sequence, digest);
  }
  std::sort(newest_first.begin(), newest_first.end(), std::greater<>());
  const std::size_t kept = static_cast<std::size_t>(keep > 0 ? keep : kKeepDefault);
  for (std::size_t i = kept; i < newest_first.size(); ++i) {
    const std::string& digest = newest_first[i].second;
    if (digest == live || digest == records->previous()) continue;
    SLIPWAY_RETURN_IF_ERROR(RemoveRelease(releases, *records, digest));
  }
  SLIPWAY_ASSIGN_OR_RETURN(const std::vector<std::string> names, releases.List());
  for (const std::string& name : names) {
    const bool writing = StartsWith(name, kStagingPrefix) || StartsWith(name, kPartsPrefix);
    if (StartsWith(name, kRemovingPrefix) || (writing && !staging.contains(app))) {
      SLIPWAY_RETURN_IF_ERROR(releases.RemoveTree(name));
    }
  }
  return absl::OkStatus();
}

absl::Status HostReleases::SwitchTo(const std::string& app, const std::string& digest) {
  const MutexLock lock(impl_->mu);
  return impl_->Switch(app, digest);
}

absl::Status HostReleases::Collect(const std::string& app, int keep) {
  const MutexLock lock(impl_->mu);
  return impl_->Collect(app, keep);
}

}  // namespace slipway::agent
