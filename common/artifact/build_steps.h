// The `build:` list of release.yaml.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/artifact/release_file.h"

namespace slipway {

// Runs the steps in turn with `dir` as working directory, without a shell; argv[0] is looked up in
// PATH. Their output goes to standard error, so that standard output stays the caller's. `into` is
// made before the step and named by SLIPWAY_INTO (absolute). `begin` is called before each step.
// FAILED_PRECONDITION names the step that could not be started or ended with another status than 0;
// those behind it are not run.
absl::Status RunBuildSteps(const std::string& dir, const std::vector<BuildStep>& steps,
                           const std::function<void(const BuildStep&)>& begin);

}  // namespace slipway
