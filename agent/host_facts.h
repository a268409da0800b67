// What a hello says of the machine.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace slipway::v1 {
class Facts;
}

namespace slipway::agent {

// Operating system, kernel, processors, memory, addresses. What cannot be read is left out.
void FillFacts(v1::Facts& facts);

// /proc/sys/kernel/random/boot_id.
absl::StatusOr<std::string> BootId();

}  // namespace slipway::agent
