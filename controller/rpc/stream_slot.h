// One of a bounded number of long calls, while it lasts.
#pragma once

#include <atomic>

#include "absl/status/status.h"
#include "controller/rpc/rollout_streams.h"

namespace slipway::controller {

class StreamSlot {
 public:
  explicit StreamSlot(std::atomic<int>& streams)
      : streams_(streams), got_(++streams <= kStreamsMax) {}
  ~StreamSlot() { --streams_; }
  StreamSlot(const StreamSlot&) = delete;
  StreamSlot& operator=(const StreamSlot&) = delete;

  absl::Status status() const {
    if (got_) return absl::OkStatus();
    return absl::ResourceExhaustedError("too many watchers and log readers; end one and try again");
  }

 private:
  std::atomic<int>& streams_;
  const bool got_;
};

}  // namespace slipway::controller
