// release.yaml: what a release is made of and how it is run.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/plan/problem.h"

namespace slipway::v1 {
class Release;
}

namespace slipway {

inline constexpr char kReleaseFileName[] = "release.yaml";

// A program that `slipway release build` runs before sealing.
struct BuildStep {
  std::vector<std::string> run;  // argv
  std::string into;              // folder of the release that it fills; "" = none in particular
};

struct ReleaseFileContent {
  std::vector<plan::Problem> problems;  // in the order of the file; with errors nothing else counts
  std::vector<BuildStep> build;
};

// Fills `release` (without its digest) from the text of release.yaml; `file` is for messages only.
// Checks what the file alone can tell: names, folders, references between its parts. Components,
// services and hooks come out sorted by name, a component's path with its trailing slash.
ReleaseFileContent ReadReleaseFile(const std::string& file, std::string_view text,
                                   v1::Release& release);

}  // namespace slipway
