// A journal that refuses one append of your choice: every caller has to live through it.
#pragma once

#include <utility>

#include "common/mutex.h"
#include "controller/journal/journal.h"

namespace slipway::controller {

// Thread-safe. The journal beneath outlives it.
class FlakyJournal final : public Journal {
 public:
  enum class Fault {
    refused,   // nothing was written
    in_doubt,  // written, but the caller is told that it was not
  };

  explicit FlakyJournal(Journal& beneath) : beneath_(beneath) {}

  // The append number `countdown` from now on (1: the next) ends with `status`. With `lasting` all
  // later ones do too, until Heal().
  void FailAppend(int countdown, absl::Status status, Fault fault = Fault::refused,
                  bool lasting = false) {
    MutexLock lock(mu_);
    countdown_ = countdown;
    status_ = std::move(status);
    fault_ = fault;
    lasting_ = lasting;
  }
  void Heal() {
    MutexLock lock(mu_);
    countdown_ = 0;
  }
  int appends() const {
    MutexLock lock(mu_);
    return appends_;
  }

  absl::StatusOr<Lease> Acquire(const RolloutId& rollout) override {
    return beneath_.Acquire(rollout);
  }
  absl::Status Append(const RolloutId& rollout, Lease& lease,
                      const std::vector<std::string>& records) override {
    const auto [verdict, fault] = Judge();
    if (!verdict.ok() && fault == Fault::refused) return verdict;
    if (absl::Status appended = beneath_.Append(rollout, lease, records); !appended.ok()) {
      return appended;
    }
    return verdict;
  }
  absl::StatusOr<std::vector<Record>> Read(const RolloutId& rollout, std::uint64_t first) override {
    return beneath_.Read(rollout, first);
  }
  absl::StatusOr<std::vector<RolloutId>> List() override { return beneath_.List(); }

 private:
  std::pair<absl::Status, Fault> Judge() {
    MutexLock lock(mu_);
    ++appends_;
    const bool fails = countdown_ == 1;
    if (countdown_ > 1 || (fails && !lasting_)) --countdown_;
    return {fails ? status_ : absl::OkStatus(), fault_};
  }

  Journal& beneath_;
  mutable Mutex mu_;
  int countdown_ ABSL_GUARDED_BY(mu_) = 0;
  int appends_ ABSL_GUARDED_BY(mu_) = 0;
  bool lasting_ ABSL_GUARDED_BY(mu_) = false;
  Fault fault_ ABSL_GUARDED_BY(mu_) = Fault::refused;
  absl::Status status_ ABSL_GUARDED_BY(mu_);
};

}  // namespace slipway::controller
