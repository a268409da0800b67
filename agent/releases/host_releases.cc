#include "agent/releases/host_releases.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "agent/releases/host_releases_impl.h"
#include "common/status_macros.h"
#include "slipway/agentstate/v1/deployment.pb.h"
#include "slipway/v1/action.pb.h"

namespace slipway::agent {
namespace {

namespace pb = agentstate::v1;

pb::FileRecord ToRecord(const std::string& path, const FileState& state) {
  pb::FileRecord record;
  record.set_path(path);
  record.set_exists(state.exists);
  record.set_bytes(state.bytes);
  record.set_owner(state.owner);
  record.set_group(state.group);
  record.set_mode(state.mode);
  return record;
}

FileState FromRecord(const pb::FileRecord& record) {
  return {record.exists(), record.bytes(), record.owner(), record.group(), record.mode()};
}

absl::StatusOr<v1::Release> DefinitionIn(const pb::DeploymentRecord& record) {
  SLIPWAY_ASSIGN_OR_RETURN(const Manifest manifest, ParseManifest(record.manifest()));
  return ReleaseIn(manifest, record.digest());
}

}  // namespace

absl::StatusOr<v1::Release> ReleaseIn(const Manifest& manifest, const std::string& digest) {
  v1::Release release;
  if (!release.ParseFromString(manifest.release)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the manifest of ", digest, " holds no definition of a release"));
  }
  release.set_digest(digest);
  return release;
}

absl::StatusOr<std::unique_ptr<HostReleases>> HostReleases::Open(const std::string& state_dir) {
  SLIPWAY_ASSIGN_OR_RETURN(const Directory state, Directory::OpenOrMake(state_dir, 0700));
  SLIPWAY_ASSIGN_OR_RETURN(auto impl, Impl::Open(state));
  return std::unique_ptr<HostReleases>(new HostReleases(std::move(impl)));
}

HostReleases::HostReleases(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HostReleases::~HostReleases() = default;

std::vector<std::string> HostReleases::Apps() const {
  const MutexLock lock(impl_->mu);
  std::vector<std::string> apps;
  for (const auto& [app, records] : impl_->apps) apps.push_back(app);
  return apps;
}

absl::StatusOr<std::string> HostReleases::CurrentDigest(const std::string& app) const {
  const MutexLock lock(impl_->mu);
  return impl_->Current(app);
}

absl::StatusOr<std::string> HostReleases::ReleaseDir(const std::string& app,
                                                     const std::string& digest) const {
  const MutexLock lock(impl_->mu);
  SLIPWAY_ASSIGN_OR_RETURN(const StagedRelease staged, impl_->Staged(app, digest));
  return absl::StrCat(app, "/releases/", staged.folder);
}

std::string HostReleases::DigestAt(const std::string& app, std::string_view path) const {
  const std::string prefix = app + "/releases/";
  if (path.substr(0, prefix.size()) != prefix) return "";
  const std::string_view rest = path.substr(prefix.size());
  const MutexLock lock(impl_->mu);
  return impl_->DigestOfFolder(app, std::string(rest.substr(0, rest.find('/'))));
}

bool HostReleases::IsStaged(const std::string& app, const std::string& digest) const {
  const MutexLock lock(impl_->mu);
  return impl_->Staged(app, digest).ok();
}

absl::StatusOr<std::string> HostReleases::ComponentOf(const std::string& app,
                                                      const std::string& digest) const {
  const MutexLock lock(impl_->mu);
  SLIPWAY_ASSIGN_OR_RETURN(const StagedRelease staged, impl_->Staged(app, digest));
  return staged.component;
}

absl::StatusOr<v1::Release> HostReleases::ReleaseOf(const std::string& app,
                                                    const std::string& digest) const {
  const MutexLock lock(impl_->mu);
  SLIPWAY_ASSIGN_OR_RETURN(const pb::DeploymentRecord record, impl_->Record(app, digest));
  return DefinitionIn(record);
}

absl::StatusOr<v1::Service> HostReleases::ServiceOf(const std::string& app,
                                                    const std::string& digest,
                                                    const std::string& service) const {
  SLIPWAY_ASSIGN_OR_RETURN(const v1::Release release, ReleaseOf(app, digest));
  for (const v1::Service& candidate : release.services()) {
    if (candidate.name() == service) return candidate;
  }
  return absl::NotFoundError(absl::StrCat("release ", release.name(), " ", release.version(),
                                          " has no service \"", service, "\""));
}

Observed HostReleases::OnDisk() const {
  Observed observed;
  const MutexLock lock(impl_->mu);
  for (const auto& [app, records] : impl_->apps) {
    Version& version = observed[app];
    const auto current = impl_->Current(app);
    version.on_disk = current.ok() ? *current : "unproven";
    const auto staged = records.staged().find(version.on_disk);
    if (staged != records.staged().end()) version.label = staged->second.version;
  }
  return observed;
}

absl::Status HostReleases::MarkHealthy(const std::string& app, const std::string& digest) {
  const MutexLock lock(impl_->mu);
  SLIPWAY_ASSIGN_OR_RETURN(AppRecords* const records, impl_->Find(app));
  return records->MarkHealthy(digest);
}

bool HostReleases::RanHealthily(const std::string& app, const std::string& digest) const {
  const MutexLock lock(impl_->mu);
  const auto staged = impl_->Staged(app, digest);
  return staged.ok() && staged->healthy;
}

absl::Status HostReleases::Pin(const std::string& app, const std::string& digest,
                               const std::string& rollout) {
  const MutexLock lock(impl_->mu);
  SLIPWAY_ASSIGN_OR_RETURN(AppRecords* const records, impl_->FindOrMake(app));
  return records->Pin(digest, rollout);
}

absl::Status HostReleases::Unpin(const std::string& app, const std::string& digest,
                                 const std::string& rollout) {
  const MutexLock lock(impl_->mu);
  const auto records = impl_->Find(app);
  return records.ok() ? (*records)->Unpin(digest, rollout) : absl::OkStatus();
}

absl::Status HostReleases::ReleasePins(const std::string& rollout) {
  const MutexLock lock(impl_->mu);
  for (auto& [app, records] : impl_->apps) SLIPWAY_RETURN_IF_ERROR(records.UnpinAll(rollout));
  return absl::OkStatus();
}

absl::Status HostReleases::RememberBefore(const std::string& app, const std::string& rollout,
                                          const std::string& path, const FileState& before) {
  const MutexLock lock(impl_->mu);
  SLIPWAY_ASSIGN_OR_RETURN(AppRecords* const records, impl_->FindOrMake(app));
  return records->AddBefore(rollout, ToRecord(path, before));
}

absl::StatusOr<FileState> HostReleases::Before(const std::string& app, const std::string& rollout,
                                               const std::string& path) const {
  const MutexLock lock(impl_->mu);
  SLIPWAY_ASSIGN_OR_RETURN(const AppRecords* const records, impl_->Find(app));
  SLIPWAY_ASSIGN_OR_RETURN(const pb::FileRecord record, records->Before(rollout, path));
  return FromRecord(record);
}

absl::Status HostReleases::RememberService(const std::string& app, const std::string& rollout,
                                           const std::string& service, bool running) {
  const MutexLock lock(impl_->mu);
  SLIPWAY_ASSIGN_OR_RETURN(AppRecords* const records, impl_->FindOrMake(app));
  return records->AddServiceBefore(rollout, service, running);
}

absl::StatusOr<bool> HostReleases::ServiceRanBefore(const std::string& app,
                                                    const std::string& rollout,
                                                    const std::string& service) const {
  const MutexLock lock(impl_->mu);
  SLIPWAY_ASSIGN_OR_RETURN(const AppRecords* const records, impl_->Find(app));
  return records->ServiceBefore(rollout, service);
}

absl::Status HostReleases::RecordRendered(const std::string& app, const std::string& digest,
                                          const std::string& path, const FileState& rendered) {
  const MutexLock lock(impl_->mu);
  SLIPWAY_ASSIGN_OR_RETURN(AppRecords* const records, impl_->Find(app));
  return records->AddRendered(digest, ToRecord(path, rendered));
}

absl::StatusOr<FileState> HostReleases::Rendered(const std::string& app, const std::string& digest,
                                                 const std::string& path) const {
  const MutexLock lock(impl_->mu);
  SLIPWAY_ASSIGN_OR_RETURN(const pb::DeploymentRecord record, impl_->Record(app, digest));
  for (const pb::FileRecord& file : record.rendered()) {
    if (file.path() == path) return FromRecord(file);
  }
  return absl::NotFoundError(absl::StrCat("release ", digest, " rendered nothing to ", path));
}

absl::StatusOr<std::string> HostReleases::CachedFile(const std::string& digest,
                                                     const std::string& path,
                                                     ContentSource& content) {
  const MutexLock lock(impl_->cache_mu);
  return impl_->cache.File(digest, path, content);
}

absl::StatusOr<std::string> HostReleases::CachedFolder(const std::string& digest,
                                                       const std::string& path,
                                                       ContentSource& content) {
  const MutexLock lock(impl_->cache_mu);
  return impl_->cache.Folder(digest, path, content);
}

std::map<std::string, std::string> WithAppVars(std::map<std::string, std::string> vars,
                                               const std::string& app) {
  vars["app"] = app;
  vars["shared"] = app + "/shared";
  vars["current"] = app + "/current";
  return vars;
}

}  // namespace slipway::agent
