// Output of one command on its way from an agent to a reader. Thread-safe.
//
// The sessions' thread pushes and never waits: a reader that is too slow loses the stream, not the
// agent its session.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/mutex.h"

namespace slipway::controller {

class OutputStream {
 public:
  static constexpr std::size_t kBytesMax = 4 << 20;

  struct Piece {
    std::string data;
    std::uint64_t dropped = 0;  // bytes left out before these
  };

  // False: the stream is over, nobody reads any more.
  bool Push(Piece piece) ABSL_LOCKS_EXCLUDED(mu_);
  // The first end counts.
  void End(absl::Status status) ABSL_LOCKS_EXCLUDED(mu_);

  // The next piece, nullopt at the end. DEADLINE_EXCEEDED: none within `timeout`, ask again;
  // RESOURCE_EXHAUSTED: read too slowly; else how the agent ended it.
  absl::StatusOr<std::optional<Piece>> Next(absl::Duration timeout) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  Mutex mu_;
  CondVar changed_;
  std::deque<Piece> pieces_ ABSL_GUARDED_BY(mu_);
  std::size_t bytes_ ABSL_GUARDED_BY(mu_) = 0;
  std::optional<absl::Status> end_ ABSL_GUARDED_BY(mu_);
};

}  // namespace slipway::controller
