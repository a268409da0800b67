#include "controller/journal/memory_journal.h"

#include "controller/journal/lease_check.h"

namespace slipway::controller {

absl::StatusOr<Lease> MemoryJournal::Acquire(const RolloutId& rollout) {
  MutexLock lock(mu_);
  const auto [entry, fresh] = books_.try_emplace(rollout, Book{0, {}, FirstHead(rollout)});
  if (fresh) order_.push_back(rollout);
  Book& book = entry->second;
  ++book.epoch;
  return Lease{book.epoch, book.records.size() + 1,
               book.records.empty() ? std::string() : ToHex(book.head)};
}

absl::Status MemoryJournal::Append(const RolloutId& rollout, Lease& lease,
                                   const std::vector<std::string>& records) {
  MutexLock lock(mu_);
  const auto found = books_.find(rollout);
  if (found == books_.end()) return NoLease(rollout);
  Book& book = found->second;
  if (lease.epoch != book.epoch || lease.next != book.records.size() + 1) {
    return LeaseLost(rollout, lease, book.epoch, book.records.size() + 1);
  }
  for (const std::string& bytes : records) {
    book.head = NextHead(book.head, lease.next, lease.epoch, bytes);
    lease.head = ToHex(book.head);
    book.records.push_back({lease.next++, lease.epoch, bytes, lease.head});
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Record>> MemoryJournal::Read(const RolloutId& rollout,
                                                        std::uint64_t first) {
  MutexLock lock(mu_);
  const auto found = books_.find(rollout);
  if (found == books_.end()) return std::vector<Record>();
  const std::vector<Record>& records = found->second.records;
  const std::uint64_t skipped = std::min<std::uint64_t>(first > 0 ? first - 1 : 0, records.size());
  return std::vector<Record>(records.begin() + static_cast<std::ptrdiff_t>(skipped), records.end());
}

absl::StatusOr<std::vector<RolloutId>> MemoryJournal::List() {
  MutexLock lock(mu_);
  std::vector<RolloutId> rollouts;
  for (const RolloutId& rollout : order_) {
    if (!books_.at(rollout).records.empty()) rollouts.push_back(rollout);
  }
  return rollouts;
}

}  // namespace slipway::controller
