// A release, hosts and plans for the planner's tests.
#pragma once

#include <string>
#include <vector>

#include "controller/planner/planner.h"

namespace slipway::v1 {
class RolloutPreview;
}

namespace slipway::controller {

extern const char kMediaPlan[];

// name, environment and the group `web` (role=web), then `text`.
std::string PlanWith(const std::string& text);
// web-1 …: addresses 10.0.0.1 …, labels role=web, zone=a, root=/srv/h1 ….
std::vector<PlanHost> WebHosts(int count);

// Loads the text, which must be free of errors, and compiles it against release 2.0.0
// ("sha256:new": component backend, service media, three hooks).
CompiledPlan Compile(const std::string& text, const std::vector<PlanHost>& hosts,
                     const PlanOptions& options = {});
v1::RolloutPreview Preview(const std::string& text, const std::vector<PlanHost>& hosts);

std::vector<std::string> Codes(const CompiledPlan& compiled);
// Rendered; "" when there are none.
std::string Problems(const CompiledPlan& compiled);

}  // namespace slipway::controller
