// From a directory to a release: `slipway release build` and the first half of `push`.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/artifact/build_steps.h"
#include "common/artifact/manifest.h"
#include "common/plan/problem.h"

namespace slipway {

struct SealedRelease {
  std::string dir;  // where its content lies (absolute)
  Manifest manifest;
  std::string bytes;  // canonical manifest
  Digest digest = Digest::Of("");
};

struct SealOptions {
  bool build = false;                                // run the steps of `build:` first
  std::function<void(const BuildStep&)> begin = {};  // before each of them
};

// Reads release.yaml in `dir`, walks the whole directory and makes the manifest. The same content
// gives the same digest on every machine. Everything in the directory belongs to the release.
//
// INVALID_ARGUMENT: release.yaml has problems (they are appended to `problems`), a file is not one
// that a release may hold, or a component has no file, a hook no program. FAILED_PRECONDITION: a
// build step failed. NOT_FOUND: no such directory or no release.yaml in it.
absl::StatusOr<SealedRelease> SealRelease(const std::string& dir, const SealOptions& options,
                                          std::vector<plan::Problem>* problems);

}  // namespace slipway
