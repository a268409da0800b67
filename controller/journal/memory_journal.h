// A journal that lives as long as its object: for tests, the simulator and dry runs.
#pragma once

#include <map>

#include "common/mutex.h"
#include "controller/journal/chain.h"
#include "controller/journal/journal.h"

namespace slipway::controller {

// Thread-safe.
class MemoryJournal final : public Journal {
 public:
  absl::StatusOr<Lease> Acquire(const RolloutId& rollout) override;
  absl::Status Append(const RolloutId& rollout, Lease& lease,
                      const std::vector<std::string>& records) override;
  absl::StatusOr<std::vector<Record>> Read(const RolloutId& rollout, std::uint64_t first) override;
  absl::StatusOr<std::vector<RolloutId>> List() override;

 private:
  struct Book {
    std::uint64_t epoch = 0;
    std::vector<Record> records;
    ChainHead head;
  };

  Mutex mu_;
  std::map<RolloutId, Book> books_ ABSL_GUARDED_BY(mu_);
  std::vector<RolloutId> order_ ABSL_GUARDED_BY(mu_);
};

}  // namespace slipway::controller
