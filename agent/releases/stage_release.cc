// HostReleases::Stage and its proof, VerifyTree.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "agent/releases/host_releases_impl.h"
#include "agent/releases/staging.h"
#include "agent/releases/verified_fetch.h"
#include "common/artifact/tree_scan.h"
#include "common/log.h"
#include "common/nearest_name.h"
#include "common/status_macros.h"
#include "slipway/agentstate/v1/deployment.pb.h"
#include "slipway/v1/action.pb.h"

namespace slipway::agent {
namespace {

namespace pb = agentstate::v1;

absl::StatusOr<std::string> ComponentPath(const v1::Release& release,
                                          const std::string& component) {
  std::vector<std::string> names;
  for (const v1::Component& candidate : release.components()) {
    if (candidate.name() == component) return candidate.path();
    names.push_back(candidate.name());
  }
  const std::string near = NearestName(component, names);
  return absl::InvalidArgumentError(absl::StrCat(
      "release ", release.name(), " ", release.version(), " has no component \"", component, "\"",
      near.empty() ? "" : absl::StrCat("; did you mean \"", near, "\"?")));
}

// What must lie in the folder of a staged release.
absl::StatusOr<std::vector<FileEntry>> FilesOf(const pb::DeploymentRecord& record) {
  SLIPWAY_ASSIGN_OR_RETURN(const Manifest manifest, ParseManifest(record.manifest()));
  return FilesBelow(manifest, record.component_path());
}

// Why two trees with different digests differ, for people.
absl::Status FirstDifference(const std::string& where, const std::vector<FileEntry>& wanted,
                             const std::vector<FileEntry>& found) {
  auto w = wanted.begin();
  auto f = found.begin();
  while (w != wanted.end() && f != found.end() && *w == *f) ++w, ++f;
  const auto lost = [&](const std::string& path, const std::string& why) {
    return absl::DataLossError(absl::StrCat(where, "/", path, " ", why));
  };
  if (f == found.end() || (w != wanted.end() && w->path < f->path))
    return lost(w->path, "is missing");
  if (w == wanted.end() || f->path < w->path)
    return lost(f->path, "does not belong to the release");
  return lost(w->path, "is not as it was released (content or mode was changed)");
}

absl::Status VerifyRecord(const std::string& app, const pb::DeploymentRecord& record) {
  SLIPWAY_ASSIGN_OR_RETURN(const std::vector<FileEntry> wanted, FilesOf(record));
  SLIPWAY_ASSIGN_OR_RETURN(const Directory root, Directory::Open(app));
  SLIPWAY_ASSIGN_OR_RETURN(const Directory tree, root.Below("releases/" + record.folder()));
  const auto found = ScanTree(tree);
  if (absl::IsInvalidArgument(found.status())) {
    return absl::DataLossError(absl::StrCat(tree.path(), ": ", found.status().message()));
  }
  SLIPWAY_RETURN_IF_ERROR(found.status());
  if (TreeDigest(*found) == TreeDigest(wanted)) return absl::OkStatus();
  return FirstDifference(tree.path(), wanted, *found);
}

}  // namespace

// One call of Stage. Registered in Impl::staging while it lives.
class StageCall {
 public:
  StageCall(HostReleases::Impl& impl, const StageOrder& order, ContentSource& content,
            const StageHooks& hooks)
      : impl_(impl), order_(order), content_(content), hooks_(hooks) {}

  ~StageCall() {
    const MutexLock lock(impl_.mu);
    if (registered_) impl_.staging.erase(order_.app);
  }

  absl::Status Run() {
    SLIPWAY_RETURN_IF_ERROR(Register());
    SLIPWAY_ASSIGN_OR_RETURN(const bool there, IsThereAlready());
    if (there) return absl::OkStatus();
    SLIPWAY_ASSIGN_OR_RETURN(const std::string bytes, FetchManifest(content_, order_.digest));
    SLIPWAY_ASSIGN_OR_RETURN(const Manifest manifest, ParseManifest(bytes));
    SLIPWAY_ASSIGN_OR_RETURN(const v1::Release release, ReleaseIn(manifest, order_.digest));
    pb::DeploymentRecord record;
    SLIPWAY_ASSIGN_OR_RETURN(*record.mutable_component_path(),
                             ComponentPath(release, order_.component));
    record.set_digest(order_.digest);
    record.set_version(manifest.version);
    record.set_component(order_.component);
    record.set_folder(absl::StrCat(manifest.version, "-", Digest::Parse(order_.digest)->Short()));
    record.set_manifest(bytes);
    SLIPWAY_RETURN_IF_ERROR(Bring(record));
    const MutexLock lock(impl_.mu);
    SLIPWAY_ASSIGN_OR_RETURN(AppRecords* const records, impl_.Find(order_.app));
    return records->Add(std::move(record));
  }

 private:
  absl::Status Register() {
    SLIPWAY_RETURN_IF_ERROR(Digest::Parse(order_.digest).status());
    const MutexLock lock(impl_.mu);
    if (!impl_.staging.insert(order_.app).second) {
      return absl::AbortedError(absl::StrCat(order_.app, " is being staged by another task"));
    }
    registered_ = true;
    SLIPWAY_ASSIGN_OR_RETURN(AppRecords* const records, impl_.FindOrMake(order_.app));
    // Before anything is there: a collection meanwhile must not take what is about to be used.
    return order_.rollout.empty() ? absl::OkStatus() : records->Pin(order_.digest, order_.rollout);
  }

  // Staged and whole. A damaged tree that is not live is dropped, so that it is brought anew.
  absl::StatusOr<bool> IsThereAlready() {
    pb::DeploymentRecord record;
    {
      const MutexLock lock(impl_.mu);
      auto found = impl_.Record(order_.app, order_.digest);
      if (absl::IsNotFound(found.status())) return false;
      SLIPWAY_RETURN_IF_ERROR(found.status());
      record = *std::move(found);
    }
    if (record.component() != order_.component) {
      return absl::FailedPreconditionError(absl::StrCat(
          order_.app, " holds component \"", record.component(), "\" of this release already; \"",
          order_.component, "\" needs an application directory of its own"));
    }
    const absl::Status verified = VerifyRecord(order_.app, record);
    if (verified.ok()) return true;
    if (!absl::IsDataLoss(verified)) return verified;
    const MutexLock lock(impl_.mu);
    SLIPWAY_ASSIGN_OR_RETURN(const std::string live, impl_.Current(order_.app));
    if (live == order_.digest) {
      return absl::DataLossError(
          absl::StrCat("the live release was changed by hand: ", verified.message()));
    }
    log::Warn("A staged release was changed by hand and is brought anew",
              {{"app", order_.app}, {"digest", order_.digest}, {"what", verified.message()}});
    SLIPWAY_ASSIGN_OR_RETURN(const Directory root, Directory::Open(order_.app));
    SLIPWAY_RETURN_IF_ERROR(root.RemoveTree("releases/" + record.folder()));
    return false;
  }

  absl::Status Bring(const pb::DeploymentRecord& record) {
    SLIPWAY_ASSIGN_OR_RETURN(const Directory root, Directory::OpenOrMake(order_.app, 0755));
    SLIPWAY_ASSIGN_OR_RETURN(const Directory releases, root.MakeBelow("releases", 0755));
    SLIPWAY_ASSIGN_OR_RETURN(const bool published, releases.Exists(record.folder()));
    if (published) {
      // A crash came between the last rename and the record.
      if (VerifyRecord(order_.app, record).ok()) return absl::OkStatus();
      SLIPWAY_RETURN_IF_ERROR(RefuseLive(record.folder()));
      SLIPWAY_RETURN_IF_ERROR(releases.RemoveTree(record.folder()));
    }
    SLIPWAY_ASSIGN_OR_RETURN(const std::vector<FileEntry> files, FilesOf(record));
    const std::string key = Digest::Parse(order_.digest)->Hex().substr(0, 16);
    return WriteTree({releases, key, record.folder(), files, Neighbours()}, content_, hooks_);
  }

  // The folder is not ours; when `current` names it, it is somebody's live release.
  absl::Status RefuseLive(const std::string& folder) {
    SLIPWAY_ASSIGN_OR_RETURN(const Directory root, Directory::Open(order_.app));
    const auto target = root.ReadLink("current");
    if (!target.ok() || *target != "releases/" + folder) return absl::OkStatus();
    return absl::FailedPreconditionError(
        absl::StrCat(order_.app, "/releases/", folder, " is live but was not made by this agent"));
  }

  KnownFiles Neighbours() {
    KnownFiles known;
    const MutexLock lock(impl_.mu);
    const auto records = impl_.Find(order_.app);
    if (!records.ok()) return known;
    for (const auto& [digest, staged] : (*records)->staged()) {
      const auto record = (*records)->Get(digest);
      const auto files = record.ok() ? FilesOf(*record) : record.status();
      if (!files.ok()) continue;  // no source then; its own Stage will say what is wrong
      for (const FileEntry& file : *files) {
        known.try_emplace({file.digest, file.mode}, absl::StrCat(staged.folder, "/", file.path));
      }
    }
    return known;
  }

  HostReleases::Impl& impl_;
  const StageOrder& order_;
  ContentSource& content_;
  const StageHooks& hooks_;
  bool registered_ = false;
};

absl::Status HostReleases::Stage(const StageOrder& order, ContentSource& content,
                                 const StageHooks& hooks) {
  SLIPWAY_RETURN_IF_ERROR(StageCall(*impl_, order, content, hooks).Run());
  const absl::Status collected = Collect(order.app, order.keep);
  // The release is there; what could not be tidied up is tried again next time.
  if (!collected.ok()) {
    log::Warn("Old releases could not be collected",
              {{"app", order.app}, {"why", collected.message()}});
  }
  return absl::OkStatus();
}

absl::Status HostReleases::VerifyTree(const std::string& app, const std::string& digest) const {
  pb::DeploymentRecord record;
  {
    const MutexLock lock(impl_->mu);
    SLIPWAY_ASSIGN_OR_RETURN(record, impl_->Record(app, digest));
  }
  return VerifyRecord(app, record);
}

}  // namespace slipway::agent
