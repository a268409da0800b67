#include "controller/journal/lease_check.h"

#include "absl/strings/str_cat.h"

namespace slipway::controller {

absl::Status LeaseLost(const RolloutId& rollout, const Lease& lease, std::uint64_t epoch,
                       std::uint64_t next) {
  return absl::FailedPreconditionError(
      absl::StrCat("rollout ", rollout.text, " stands at epoch ", epoch, " and record ", next,
                   ", the append at epoch ", lease.epoch, " and record ", lease.next,
                   ": another holder drives it; stop driving it here"));
}

absl::Status NoLease(const RolloutId& rollout) {
  return absl::FailedPreconditionError(absl::StrCat(
      "nobody acquired rollout ", rollout.text, " in this journal; acquire it before appending"));
}

}  // namespace slipway::controller
