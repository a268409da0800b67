// What stage, switch and configure have in common: an application directory and a release.
#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "agent/actions/action.h"

namespace slipway::agent {

struct ReleaseStep {
  std::string app;     // absolute; variables filled in
  std::string digest;  // the release that the task brings, or for Direction::previous the old one
  std::map<std::string, std::string> vars;  // for Render()
};

// `app` is that of the action; when empty, the task's.
absl::StatusOr<ReleaseStep> BindReleaseStep(const ActionContext& ctx, const std::string& app);

}  // namespace slipway::agent
