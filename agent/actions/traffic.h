// The readiness file of a service: a load balancer that looks at it sends traffic while it is
// there.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/actions/binding.h"

namespace slipway::agent {

// Whether the file is there; true for a service without one.
absl::StatusOr<bool> IsInTraffic(const BoundService& service);

// Makes the file. There already, or none declared: nothing is done.
absl::Status PutIntoTraffic(const BoundService& service);

// Removes the file. Where it was there and the service runs, waits `notice` for those who look at
// it, at most until the attempt's deadline.
absl::Status TakeOutOfTraffic(ActionContext& ctx, const BoundService& service);

}  // namespace slipway::agent
