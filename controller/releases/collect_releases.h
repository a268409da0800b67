// Removing releases that nothing needs any more.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "controller/releases/release_store.h"

namespace slipway::controller {

// What needs a release, by its digest, in words: "runs on web-1".
using ReleasesInUse = std::map<std::string, std::string>;

struct JudgedRelease {
  ReleaseRecord release;
  std::string why;  // it is kept
  bool operator==(const JudgedRelease&) const = default;
};

struct CollectedReleases {
  std::vector<JudgedRelease> removed, kept;  // oldest first; newest first
  std::uint64_t freed_bytes = 0;             // content that no kept release has
};

// Keeps what is in use and the newest `keep` of each name; of the others, first the name goes and
// then the content, so that what is listed is always whole. A crash between the two leaves content
// that nobody names, until it is pushed again.
//
// The caller holds `releases.changing()`. DATA_LOSS, NOT_FOUND: the manifest of a release that is
// kept cannot be read, and nothing was removed; `slipway release verify` says more.
absl::StatusOr<CollectedReleases> CollectReleases(ReleaseStore& releases, Registry& registry,
                                                  const ReleasesInUse& in_use, std::size_t keep,
                                                  bool dry_run)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(releases.changing());

}  // namespace slipway::controller
