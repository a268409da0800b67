// An agent's first message: whether it is one, and what it says of its host.
#pragma once

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "controller/fleet/fleet_view.h"

namespace slipway::v1 {
class Hello;
}

namespace slipway::controller {

// FAILED_PRECONDITION: another protocol. INVALID_ARGUMENT: a part is missing or odd.
absl::Status CheckHello(const v1::Hello& hello);

// The host as it is connected from `now` on.
LiveHost LiveHostOf(const v1::Hello& hello, absl::Time now);

}  // namespace slipway::controller
