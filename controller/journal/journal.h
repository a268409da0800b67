// Append-only, per-rollout record of events: the only truth about a rollout.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/model/ids.h"

namespace slipway::controller {

// Right to append to one rollout. A later Acquire takes it away.
struct Lease {
  std::uint64_t epoch = 0;  // rises by one with each Acquire
  std::uint64_t next = 1;   // sequence number that the next record will get
  std::string head;         // hash-chain head of the last record, hex; "" before the first
};

// One stored record. h(n) = sha256(h(n-1) || sequence || epoch || length || bytes); the exact
// layout stands in docs/formats/journal.md.
struct Record {
  std::uint64_t sequence = 0;
  std::uint64_t epoch = 0;
  std::string bytes;
  std::string head;  // hex
  bool operator==(const Record&) const = default;
};

// Thread-safe.
class Journal {
 public:
  virtual ~Journal() = default;

  // Raises the rollout's epoch, durably, and takes the lease. A rollout without records has
  // next = 1. Errors: RESOURCE_EXHAUSTED, UNAVAILABLE as for Append; DATA_LOSS as for Read.
  virtual absl::StatusOr<Lease> Acquire(const RolloutId& rollout) = 0;

  // Appends all of `records` or none, returns once they are durable, and moves `lease.next` and
  // `lease.head` on.
  //
  // Appending nothing checks the lease.
  //
  // Errors: FAILED_PRECONDITION when another holder took the lease or appended (stop driving this
  // rollout and drop its state); RESOURCE_EXHAUSTED when the disk is full (nothing was written;
  // stop dispatching, try again later); UNAVAILABLE when a retry may help. An fsync that fails
  // ends the process: nobody can tell any more what is on the disk.
  virtual absl::Status Append(const RolloutId& rollout, Lease& lease,
                              const std::vector<std::string>& records) = 0;

  // Records from `first` on, in order. An unknown rollout reads as empty. Verifies the chain:
  // DATA_LOSS names the first position that does not hold.
  virtual absl::StatusOr<std::vector<Record>> Read(const RolloutId& rollout,
                                                   std::uint64_t first) = 0;

  // Every rollout with at least one record, in order of their first Acquire. Recovery starts here.
  virtual absl::StatusOr<std::vector<RolloutId>> List() = 0;
};

}  // namespace slipway::controller
