// Proofs that something is gone, with the culprit by name when it is not.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace slipway::agent {

// FAILED_PRECONDITION: "port 8080 belongs to pid 4121 /opt/old/shop, which slipway did not start".
absl::Status ProvePortFree(std::uint16_t port);

// The same, but a listener of `ours` or of their descendants is fine.
absl::Status ProvePortFreeOrOurs(std::uint16_t port, const std::vector<pid_t>& ours);

// FAILED_PRECONDITION when a process executes the file at `path`, also when it was deleted since.
// Processes of runs below `known_runs` ("": of all) and `known` ones are left out: they have a
// proof of their own.
absl::Status ProveNobodyRuns(const std::string& path, const std::string& known_runs,
                             const std::vector<pid_t>& known = {});

}  // namespace slipway::agent
