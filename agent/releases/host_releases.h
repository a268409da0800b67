// Releases on this host: what is staged, what is live, what was there before.
//
// Each application has a directory of its own (`app`, an absolute path):
//
//   APP/releases/2.0.0-9f86d081/   one component of one release, read-only, complete and verified
//   APP/releases/.staging-…/       being written (0700); never looked at by anybody else
//   APP/current -> releases/2.0.0-9f86d081
//   APP/shared/                    the application's own; never touched
//
// What the agent knows of them (the deployment records) lies in the agent's state directory and
// is described in docs/formats/deployment_record.md.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/artifact/content_source.h"
#include "common/model/observed.h"

namespace slipway::v1 {
class Release;
class Service;
}  // namespace slipway::v1

namespace slipway::agent {

// What to bring to the host.
struct StageOrder {
  std::string app;        // absolute path of the application's directory
  std::string digest;     // of the release
  std::string component;  // of release.yaml
  std::string rollout;    // keeps the release from being collected until Release(rollout)
  int keep = 5;           // releases kept on the host, pinned ones not counted
};

struct StageHooks {
  std::function<void(std::string_view text, std::uint64_t done, std::uint64_t total)> progress;
  std::function<bool()> stopping;  // true: return soon with CANCELLED; what is verified is kept
};

// A configuration file as it stood at some moment.
struct FileState {
  bool exists = false;
  std::string bytes;
  std::uint32_t owner = 0;  // uid
  std::uint32_t group = 0;  // gid
  std::uint32_t mode = 0;   // permission bits
  bool operator==(const FileState&) const = default;
};

// Thread-safe. Everything that it says it did is durable when the call returns. `digest` is always
// a release digest ("sha256:…"); `app` an absolute path. Questions are answered from memory, the
// record files and one readlink, except VerifyTree, which reads the whole release. Staging holds no
// lock while it transfers; a second Stage of the same app meanwhile is ABORTED.
class HostReleases {
 public:
  // Opens the records below `state_dir` (made when absent, 0700). DATA_LOSS names a record file
  // that is damaged.
  static absl::StatusOr<std::unique_ptr<HostReleases>> Open(const std::string& state_dir);
  ~HostReleases();

  // --- What is there ---

  // Apps that this agent has deployed to.
  std::vector<std::string> Apps() const;

  // The release that `current` names; "" when there is no `current`. FAILED_PRECONDITION when
  // `current` was not made by this agent: it is reported and never guessed.
  absl::StatusOr<std::string> CurrentDigest(const std::string& app) const;

  // APP/releases/<version>-<digest8>. It holds the files below the component's path, without that
  // path: backend/bin/x of the release is bin/x here, and a relative argv[0] of a service begins
  // here. NOT_FOUND when it is not staged.
  absl::StatusOr<std::string> ReleaseDir(const std::string& app, const std::string& digest) const;

  // The release that the file or folder at `path` belongs to (a resolved path, as in
  // /proc/PID/exe); "" when it is in none of the app's releases.
  std::string DigestAt(const std::string& app, std::string_view path) const;

  // release.yaml of a staged release, as its manifest has it. NOT_FOUND when not staged.
  absl::StatusOr<v1::Release> ReleaseOf(const std::string& app, const std::string& digest) const;

  // Definition of one service in it. NOT_FOUND also when the release has no such service.
  absl::StatusOr<v1::Service> ServiceOf(const std::string& app, const std::string& digest,
                                        const std::string& service) const;

  // Which component of the release the app holds. NOT_FOUND when not staged.
  absl::StatusOr<std::string> ComponentOf(const std::string& app, const std::string& digest) const;

  // A file of a release that need not be staged here (a hook, a migration): fetched into the
  // agent's own cache with what lies in the same folder and below, verified, and verified again at
  // each call. Returns its absolute path; its folder is laid out as in the release.
  // NOT_FOUND: the release has no such file. Else as Stage.
  absl::StatusOr<std::string> CachedFile(const std::string& digest, const std::string& path,
                                         ContentSource& content);

  // The same for all files below a folder of the release, "db/migrations".
  absl::StatusOr<std::string> CachedFolder(const std::string& digest, const std::string& path,
                                           ContentSource& content);

  // Reads every byte of the staged tree and compares it with the manifest. DATA_LOSS names the
  // first file that differs, is missing or is too much; NOT_FOUND when not staged.
  absl::Status VerifyTree(const std::string& app, const std::string& digest) const;

  // on_disk and label of each app; `running` and `healthy` are for others to say. A foreign or
  // unreadable `current` is "unproven".
  Observed OnDisk() const;

  // --- Health ---

  // Set when the bake of a batch passed; a rollback goes only to what ran healthily here.
  absl::Status MarkHealthy(const std::string& app, const std::string& digest);
  bool RanHealthily(const std::string& app, const std::string& digest) const;

  // --- What the actions do ---

  // Brings a component here beside the live one: only what no release of the app has already,
  // verified while written. A second call for the same release changes nothing.
  // Errors: UNAVAILABLE (source went away; what was verified is kept and found again), DATA_LOSS
  // (content does not match its digest; nothing of it is kept), RESOURCE_EXHAUSTED (no space; the
  // message has the figures), CANCELLED (stopping), FAILED_PRECONDITION (the app holds another
  // component of this release), INVALID_ARGUMENT (manifest is refused).
  absl::Status Stage(const StageOrder& order, ContentSource& content, const StageHooks& hooks);

  // Whether the release is staged whole (by its record and folder; VerifyTree proves it).
  bool IsStaged(const std::string& app, const std::string& digest) const;

  // Makes `current` name the staged release; "" removes it. Atomic: it is the old or the new.
  // FAILED_PRECONDITION when `current` is foreign, NOT_FOUND when the release is not staged.
  absl::Status SwitchTo(const std::string& app, const std::string& digest);

  // Keeps releases from being collected as long as `rollout` may need them. Idempotent.
  absl::Status Pin(const std::string& app, const std::string& digest, const std::string& rollout);
  absl::Status Unpin(const std::string& app, const std::string& digest, const std::string& rollout);
  // The rollout is closed: its pins are dropped.
  absl::Status ReleasePins(const std::string& rollout);

  // Removes releases beyond `keep`, oldest first; never the live one, the one before it or a
  // pinned one. Stage calls it.
  absl::Status Collect(const std::string& app, int keep);

  // --- Configuration files ---

  // What stood at `path` before this rollout wrote there. The first call of a rollout counts and
  // later ones change nothing.
  absl::Status RememberBefore(const std::string& app, const std::string& rollout,
                              const std::string& path, const FileState& before);
  // NOT_FOUND when the rollout never wrote there.
  absl::StatusOr<FileState> Before(const std::string& app, const std::string& rollout,
                                   const std::string& path) const;

  // What the release's template became on this host; part of the deployment record.
  absl::Status RecordRendered(const std::string& app, const std::string& digest,
                              const std::string& path, const FileState& rendered);
  absl::StatusOr<FileState> Rendered(const std::string& app, const std::string& digest,
                                     const std::string& path) const;

  // --- Services ---

  // Whether the service ran before this rollout stopped it. The first call of a rollout counts and
  // later ones change nothing.
  absl::Status RememberService(const std::string& app, const std::string& rollout,
                               const std::string& service, bool running);
  // NOT_FOUND when the rollout never came to stop it.
  absl::StatusOr<bool> ServiceRanBefore(const std::string& app, const std::string& rollout,
                                        const std::string& service) const;

  class Impl;  // agent/releases only

 private:
  explicit HostReleases(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

// `vars` and what every app has: {{app}}, {{shared}} (APP/shared) and {{current}} (APP/current).
std::map<std::string, std::string> WithAppVars(std::map<std::string, std::string> vars,
                                               const std::string& app);

}  // namespace slipway::agent
