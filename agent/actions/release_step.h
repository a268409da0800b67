// What stage, switch and configure have in common: an application directory and a release.
#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "agent/actions/action.h"

namespace slipway::agent {

// `app` of the action, else that of the task, with its variables filled in.
absl::StatusOr<std::string> AppOf(const ActionContext& ctx, const std::string& app);

struct ReleaseStep {
  std::string app;     // absolute; variables filled in
  std::string digest;  // the release that the task brings, or for Direction::previous the old one
  std::map<std::string, std::string> vars;  // for Render()
};

// `app` as in AppOf.
absl::StatusOr<ReleaseStep> BindReleaseStep(const ActionContext& ctx, const std::string& app);

}  // namespace slipway::agent
