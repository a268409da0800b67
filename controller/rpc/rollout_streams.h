// The two long calls of RolloutService. Each holds one of gRPC's threads while it lasts, so their
// number is bounded.
#pragma once

#include <atomic>
#include <functional>

#include "absl/status/status.h"
#include "common/clock.h"
#include "controller/rpc/agent_sessions.h"
#include "controller/rpc/rollout_reader.h"

namespace slipway::v1 {
class GetLogsRequest;
class LogChunk;
class RolloutUpdate;
class WatchRolloutRequest;
}  // namespace slipway::v1

namespace slipway::controller {

inline constexpr int kStreamsMax = 48;

// Thread-safe. All outlive the object.
class RolloutStreams {
 public:
  struct Ports {
    RunnerPool& pool;
    const RolloutReader& reader;
    AgentSessions& sessions;
    const Clock& clock;
  };
  explicit RolloutStreams(const Ports& ports) : ports_(ports) {}

  // `write` returns false when the caller has left; `left` says so between writes.
  // Errors: those of RolloutService; RESOURCE_EXHAUSTED: too many such calls.
  absl::Status Watch(const v1::WatchRolloutRequest& request,
                     const std::function<bool(const v1::RolloutUpdate&)>& write,
                     const std::function<bool()>& left);
  absl::Status Logs(const v1::GetLogsRequest& request,
                    const std::function<bool(const v1::LogChunk&)>& write,
                    const std::function<bool()>& left);

  // From now on every stream ends with UNAVAILABLE, soon.
  void Stop() { stopping_ = true; }

 private:
  const Ports ports_;
  std::atomic<int> streams_ = 0;
  std::atomic<bool> stopping_ = false;
};

}  // namespace slipway::controller
