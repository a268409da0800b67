#include <utility>

#include "controller/journal/event_codec.h"
#include "tests/sim/checkers.h"
#include "tests/sim/controller_side.h"

namespace slipway::sim {
namespace {

absl::Status Dead() {
  return absl::AbortedError("the process is dead");
}

// A codec that keeps whole seconds only.
std::vector<std::string> DropFractions(const std::vector<std::string>& records) {
  std::vector<std::string> rounded;
  for (const std::string& bytes : records) {
    auto event = controller::DecodeEvent(bytes);
    if (!event.ok()) return records;
    std::visit([](auto& e) { e.at = absl::FromUnixSeconds(absl::ToUnixSeconds(e.at)); }, *event);
    rounded.push_back(controller::EncodeEvent(*event));
  }
  return rounded;
}

}  // namespace

absl::StatusOr<controller::Lease> ProcessJournal::Acquire(const RolloutId& rollout) {
  if (crashed()) return Dead();
  if (full_) return absl::ResourceExhaustedError("no space left on the disk");
  return beneath_.Acquire(rollout);
}

absl::StatusOr<std::vector<controller::Record>> ProcessJournal::Read(const RolloutId& rollout,
                                                                     std::uint64_t first) {
  if (crashed()) return Dead();
  auto records = beneath_.Read(rollout, first);
  if (records.ok() && first == 1) rig_.checkers->OnJournalRead(rollout, *records);
  return records;
}

absl::StatusOr<std::vector<RolloutId>> ProcessJournal::List() {
  if (crashed()) return Dead();
  auto rollouts = beneath_.List();
  if (rollouts.ok()) rig_.checkers->OnListed(*rollouts);
  return rollouts;
}

absl::Status ProcessJournal::Append(const RolloutId& rollout, controller::Lease& lease,
                                    const std::vector<std::string>& records) {
  if (crashed()) return Dead();
  if (full_) {
    rig_.coverage.Hit(Rare::controller_disk_full);
    return absl::ResourceExhaustedError("no space left on the disk");
  }
  if (crash_ == Crash::before) {
    rig_.coverage.Hit(Rare::controller_crashed_before_append);
    rig_.Strike(Fault::controller_crashed_in_append);
    crashed_ = true;
    return Dead();
  }
  const absl::Status appended = AppendBeneath(rollout, lease, records);
  if (store_.crashed()) return Dead();
  if (absl::IsResourceExhausted(appended)) rig_.coverage.Hit(Rare::controller_disk_full);
  if (!appended.ok()) return appended;
  if (crash_ == Crash::after) {
    rig_.coverage.Hit(Rare::controller_crashed_after_append);
    rig_.Strike(Fault::controller_crashed_in_append);
    crashed_ = true;
    return Dead();
  }
  if (std::exchange(in_doubt_, false)) {
    rig_.coverage.Hit(Rare::append_in_doubt);
    rig_.Strike(Fault::append_in_doubt);
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
  if (rig_.mutant == Mutant::journal_drops_fractions) {
    const std::uint64_t first = lease.next;
    const std::vector<std::string> rounded = DropFractions(records);
    const absl::Status appended = beneath_.Append(rollout, lease, rounded);
    if (appended.ok()) rig_.checkers->OnAppended(rollout, first, lease.epoch, holder_, rounded);
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
