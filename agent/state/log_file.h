// The file under a command log, as a port: the machine's file system or a simulated disk.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace slipway::agent {

// Not thread-safe.
class LogFile {
 public:
  virtual ~LogFile() = default;

  virtual absl::StatusOr<std::string> Read() = 0;

  // At the end. RESOURCE_EXHAUSTED: no space; part of `bytes` may be there.
  virtual absl::Status Append(std::string_view bytes) = 0;

  // Returns once all that was appended or truncated survives a power cut. DATA_LOSS: it may or may
  // not; nobody can tell, also by a second try (the kernel drops the dirty pages).
  virtual absl::Status Sync() = 0;

  virtual absl::Status Truncate(std::uint64_t size) = 0;

  // Puts `bytes` in the place of all content: after a power cut there is the old or the new, never
  // a mix. Durable when it returns. RESOURCE_EXHAUSTED: no space, the old content stands.
  virtual absl::Status Replace(std::string_view bytes) = 0;

  // The reserve: a block of disk space set aside while there is plenty, so that an answer can be
  // written on a full disk. Release gives it back to the file system; Refill takes it again
  // (RESOURCE_EXHAUSTED: not now). Both may repeat.
  virtual absl::Status ReleaseReserve() = 0;
  virtual absl::Status RefillReserve() = 0;
};

// How much RefillReserve sets aside: more than all answers of one rollout on one host.
inline constexpr std::uint64_t kReserveBytes = 1 << 20;

// `path` and, beside it, `path`.reserve and for a moment `path`.new. The folder exists and is the
// agent's own (0700). Creates an empty file (0600) when there is none, and makes its name durable.
absl::StatusOr<std::unique_ptr<LogFile>> OpenLogFile(const std::string& path);

}  // namespace slipway::agent
