// How long to wait before trying again. Pure: chance is an input.
#pragma once

#include "absl/time/time.h"

namespace slipway {

struct Backoff {
  absl::Duration base = absl::Milliseconds(200);
  absl::Duration cap = absl::Seconds(30);
};

// Full jitter: a uniformly random share of min(cap, base * 2^attempt), so that many who lost the
// same peer at once do not come back at once. `attempt` counts from 0; `chance` is in [0, 1).
absl::Duration FullJitter(const Backoff& backoff, int attempt, double chance);

}  // namespace slipway
