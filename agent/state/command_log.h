// The agent's durable record of its commands: one append-only file, one sync for each batch.
// The format stands byte by byte in docs/formats/agent_state.md.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/core/record.h"
#include "agent/state/log_file.h"

namespace slipway::agent {

// Not thread-safe.
class CommandLog {
 public:
  // Reads and verifies the file. A tail that a power cut tore was never synced, so nobody was told
  // of it: it is cut off. Anything else that does not hold is DATA_LOSS with its position, and the
  // file is left as it is. FAILED_PRECONDITION: written by a newer agent.
  // `file` outlives the log.
  static absl::StatusOr<std::unique_ptr<CommandLog>> Open(LogFile& file);

  // What is durable, oldest first. Reads and verifies the file again.
  absl::StatusOr<std::vector<Record>> Replay();

  // May the last space of the disk be used?
  enum class Need {
    wish,  // no: RESOURCE_EXHAUSTED, nothing was written and the reserve is untouched
    must,  // yes: the reserve is released when the disk is full
  };

  // All of `records` become durable or none.
  //
  // Errors: RESOURCE_EXHAUSTED, nothing was written. DATA_LOSS: a sync failed or a failed write
  // could not be taken back; end the process, the next start finds out what is there.
  absl::Status Append(const std::vector<Record>& records, Need need);

  // Puts `records` in the place of everything, atomically. Errors as for Append.
  absl::Status Rewrite(const std::vector<Record>& records);

  std::uint64_t size() const { return size_; }
  // Records in the file.
  std::uint64_t count() const { return count_; }

 private:
  explicit CommandLog(LogFile& file) : file_(file) {}
  absl::Status WriteFrame(const std::string& frame);

  LogFile& file_;
  std::uint64_t size_ = 0;
  std::uint64_t count_ = 0;
  bool reserve_released_ = false;
};

}  // namespace slipway::agent
