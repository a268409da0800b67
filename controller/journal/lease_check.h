// What every backend answers when an append does not hold the lease.
#pragma once

#include "absl/status/status.h"
#include "controller/journal/journal.h"

namespace slipway::controller {

absl::Status LeaseLost(const RolloutId& rollout, const Lease& lease, std::uint64_t epoch,
                       std::uint64_t next);
absl::Status NoLease(const RolloutId& rollout);

}  // namespace slipway::controller
