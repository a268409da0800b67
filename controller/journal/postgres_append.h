// Appends of many rollouts in one statement, which is one transaction and one round trip.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "controller/journal/journal.h"
#include "controller/journal/postgres_lease.h"

namespace slipway::controller {

// One caller's append. What it points to stays with the caller.
struct PostgresAppend {
  const RolloutId& rollout;
  const Lease& lease;
  const std::vector<Record>& records;  // numbered and chained behind `lease`; may be none
};

// Appends of different rollouts: each of them whole or not at all, each on the condition that its
// lease stands. One status for each; FAILED_PRECONDITION names what stands in the rollout's way.
// Errors, of all together: those of PostgresConnection, and PostgresLease::Lost.
absl::StatusOr<std::vector<absl::Status>> AppendTogether(
    PostgresConnection& connection, const PostgresLease& store,
    const std::vector<const PostgresAppend*>& appends);

// Whether an append is there whose answer was lost: looked up by the key of its last event, once
// nobody writes to that rollout any more. An append of nothing is never there.
absl::StatusOr<bool> IsAppended(PostgresConnection& connection, const PostgresAppend& append);

}  // namespace slipway::controller
