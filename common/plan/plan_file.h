// A plan file, read and checked. What `slipway plan validate` and `slipway plan show` stand on.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/plan/problem.h"
#include "common/plan/source_map.h"

namespace slipway::v1 {
class Plan;
}

namespace slipway::plan {

struct LoadedPlan {
  std::shared_ptr<const v1::Plan> plan;  // never null; to be used when there are no errors
  std::vector<Problem> problems;         // in the order of the file
  std::string digest;                    // "sha256:…" of the bytes
  SourceMap source;                      // for checks that follow
};

// `path` is for messages only; `bytes` is the file's content.
LoadedPlan LoadPlan(std::string path, std::string_view bytes);

// The plan as it will be understood, defaults filled in and marked: one line per decision.
std::string ShowPlan(const v1::Plan& plan);

}  // namespace slipway::plan
