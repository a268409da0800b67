// What a hello says of the machine.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace slipway::v1 {
class Facts;
}

namespace slipway::agent {

// Operating system, kernel, processors, memory, addresses. What cannot be read is left out.
void FillFacts(v1::Facts& facts);

// Memory of this process that is not paged out; 0 where nobody says.
std::uint64_t ResidentBytes();

// /proc/sys/kernel/random/boot_id.
absl::StatusOr<std::string> BootId();

}  // namespace slipway::agent
