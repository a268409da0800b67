#include <utility>

#include "tests/sim/checkers.h"
#include "tests/sim/controller_side.h"

namespace slipway::sim {
namespace {

absl::Status Dead() {
  return absl::AbortedError("the process is dead");
}

}  // namespace

absl::StatusOr<controller::Lease> ProcessJournal::Acquire(const RolloutId& rollout) {
  if (crashed_) return Dead();
  if (full_) return absl::ResourceExhaustedError("no space left on the disk");
  return beneath_.Acquire(rollout);
}

absl::StatusOr<std::vector<controller::Record>> ProcessJournal::Read(const RolloutId& rollout,
                                                                     std::uint64_t first) {
  if (crashed_) return Dead();
  auto records = beneath_.Read(rollout, first);
  if (records.ok() && first == 1) rig_.checkers->OnJournalRead(rollout, *records);
  return records;
}

absl::Status ProcessJournal::Append(const RolloutId& rollout, controller::Lease& lease,
                                    const std::vector<std::string>& records) {
  if (crashed_) return Dead();
  if (full_) {
    rig_.coverage.Hit(Rare::controller_disk_full);
    return absl::ResourceExhaustedError("no space left on the disk");
  }
  if (crash_ == Crash::before) {
    rig_.coverage.Hit(Rare::controller_crashed_before_append);
    crashed_ = true;
    return Dead();
  }
  const absl::Status appended = AppendBeneath(rollout, lease, records);
  if (!appended.ok()) return appended;
  if (crash_ == Crash::after) {
    rig_.coverage.Hit(Rare::controller_crashed_after_append);
    crashed_ = true;
    return Dead();
  }
  if (std::exchange(in_doubt_, false)) {
    rig_.coverage.Hit(Rare::append_in_doubt);
    return absl::UnavailableError("the connection broke within COMMIT");
  }
  return absl::OkStatus();
}

absl::Status ProcessJournal::AppendBeneath(const RolloutId& rollout, controller::Lease& lease,
                                           const std::vector<std::string>& records) {
  if (rig_.mutant == Mutant::journal_ignores_lease) {
    auto fresh = beneath_.Acquire(rollout);
    if (!fresh.ok()) return fresh.status();
    lease = {lease.epoch, fresh->next, fresh->head};
    const absl::Status appended = beneath_.Append(rollout, *fresh, records);
    if (appended.ok()) {
      rig_.checkers->OnAppended(rollout, lease.next, lease.epoch, holder_, records);
      lease.next = fresh->next;
      lease.head = fresh->head;
    }
    return appended;
  }
  const std::uint64_t first = lease.next;
  // The mutant says that it is durable and has only put it into a cache that nobody writes.
  const bool forgets = rig_.mutant == Mutant::journal_forgets_acknowledged && rig_.Rough(0.02);
  const absl::Status appended =
      forgets ? absl::OkStatus() : beneath_.Append(rollout, lease, records);
  if (forgets) lease.next += records.size();
  if (appended.ok()) rig_.checkers->OnAppended(rollout, first, lease.epoch, holder_, records);
  return appended;
}

}  // namespace slipway::sim
