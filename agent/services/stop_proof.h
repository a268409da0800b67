// What the drivers of services share in ending them. Thread-safe.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "agent/services/service_manager.h"
#include "common/clock.h"

namespace slipway::agent {

// A process that got KILL and is still there after this hangs in the kernel.
inline constexpr absl::Duration kKillTakesAtMost = absl::Seconds(15);

// Waits, as long as the order allows, until no connection to `ports` is left; fills in what
// became of it.
void Drain(const Clock& clock, const std::vector<std::uint16_t>& ports, const StopOrder& order,
           StopReport& report);

// OK when nobody listens on any of them. The kernel needs a moment to take a socket down after its
// last owner, which it gets.
absl::Status ProvePortsFree(const Clock& clock, const std::vector<std::uint16_t>& ports);

}  // namespace slipway::agent
