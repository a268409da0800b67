// Proofs that something is gone, with the culprit by name when it is not.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace slipway::agent {

// FAILED_PRECONDITION: "port 8080 belongs to pid 4121 /opt/old/shop, which slipway did not start".
absl::Status ProvePortFree(std::uint16_t port);

// FAILED_PRECONDITION when a process executes the file at `path`, also when it was deleted since.
// Processes of runs below `known_runs` are left out: they have a proof of their own.
absl::Status ProveNobodyRuns(const std::string& path, const std::string& known_runs);

}  // namespace slipway::agent
