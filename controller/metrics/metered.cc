#include "controller/metrics/metered.h"

namespace slipway::controller {

absl::Status MeteredJournal::Append(const RolloutId& rollout, Lease& lease,
                                    const std::vector<std::string>& records) {
  instruments_.AppendBegan();
  const absl::Duration began = clock_.Monotonic();
  absl::Status status = beneath_.Append(rollout, lease, records);
  instruments_.AppendEnded(clock_.Monotonic() - began, status, records.size());
  return status;
}

absl::StatusOr<Lease> MeteredStore::CreateRollout(const NewRollout& rollout) {
  instruments_.AppendBegan();
  const absl::Duration began = clock_.Monotonic();
  absl::StatusOr<Lease> lease = beneath_.CreateRollout(rollout);
  // A host that is locked is an answer of the storage and no failure of it.
  const bool refused =
      absl::IsResourceExhausted(lease.status()) || absl::IsUnavailable(lease.status());
  instruments_.AppendEnded(clock_.Monotonic() - began, refused ? lease.status() : absl::OkStatus(),
                           lease.ok() ? 1 : 0);
  if (lease.ok()) instruments_.Started();
  return lease;
}

}  // namespace slipway::controller
