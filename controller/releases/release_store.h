// Releases that can be rolled out: their content and their names.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/artifact/object_store.h"
#include "common/clock.h"
#include "common/mutex.h"
#include "controller/registry/registry.h"

namespace slipway::v1 {
class Release;
}

namespace slipway::controller {

// A release with what its manifest tells.
struct ReleaseDetails {
  ReleaseRecord record;
  std::uint32_t files = 0;
  std::vector<std::string> components;  // names
  std::vector<std::string> services;    // names
};

// Content that a push must bring.
struct MissingObject {
  Digest digest = Digest::Of("");
  std::uint64_t held = 0;  // bytes that a broken push left of it
};

// Thread-safe. Whatever is listed is whole: a release is made only of content that is there and was
// verified when it came. Manifests are objects too, under the release's digest.
class ReleaseStore {
 public:
  // All outlive the store.
  ReleaseStore(ObjectStore& objects, Registry& registry, const Clock& clock)
      : objects_(objects), registry_(registry), clock_(clock) {}

  // Which of `digests` are not there. INVALID_ARGUMENT: one is no digest, or there are too many.
  absl::StatusOr<std::vector<MissingObject>> FindMissing(const std::vector<std::string>& digests);

  // The way for content to come in and go out.
  ObjectStore& objects() { return objects_; }

  // Held by whoever relies on a release until others can see that it is needed (a rollout that
  // begins), and by whoever removes releases. Create takes it.
  Mutex& changing() ABSL_LOCK_RETURNED(changing_) { return changing_; }

  // Repeating it gives the same release. INVALID_ARGUMENT: no manifest; FAILED_PRECONDITION:
  // content is missing, the first digest is named; ALREADY_EXISTS: name and version belong to
  // another digest.
  absl::StatusOr<ReleaseDetails> Create(std::string_view manifest, const std::string& pushed_by)
      ABSL_LOCKS_EXCLUDED(changing_);

  // Newest first; `name` "" means all.
  absl::StatusOr<std::vector<ReleaseDetails>> List(const std::string& name);

  // By "name@version", "sha256:…" or the first digits of a digest (4 at least). NOT_FOUND with a
  // suggestion; INVALID_ARGUMENT: several releases begin with these digits.
  absl::StatusOr<ReleaseDetails> Get(const std::string& text);

  // What `text` names as in Get, or all, newest first. Errors: as of Get.
  absl::StatusOr<std::vector<ReleaseRecord>> Find(const std::string& text);

  // Canonical bytes of a release's manifest. NOT_FOUND; INVALID_ARGUMENT: no digest.
  absl::StatusOr<std::string> Manifest(const std::string& digest);

  // What release.yaml said, with the digest filled in. Errors as of Manifest.
  absl::StatusOr<v1::Release> Definition(const std::string& digest);

 private:
  absl::StatusOr<ReleaseDetails> Describe(const ReleaseRecord& record);
  absl::StatusOr<ReleaseRecord> FindByDigits(const std::string& text,
                                             const std::vector<ReleaseRecord>& all) const;

  ObjectStore& objects_;
  Registry& registry_;
  const Clock& clock_;
  Mutex changing_;
};

}  // namespace slipway::controller
