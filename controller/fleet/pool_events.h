// From agents' sessions to the rollouts: a thread of its own between them, so that a slow disk
// never keeps the sessions' thread from its beats.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <thread>

#include "common/bounded_queue.h"
#include "common/clock.h"
#include "controller/fleet/session_events.h"
#include "controller/registry/registry.h"
#include "controller/runner/runner_pool.h"

namespace slipway::controller {

// Thread-safe.
class PoolEvents final : public SessionEvents {
 public:
  // Both outlive the object. What comes before Start waits.
  PoolEvents(Registry& registry, const Clock& clock);
  ~PoolEvents() override { Stop(); }

  // `pool` outlives the thread.
  void Start(RunnerPool& pool);
  // Hears what came before, then ends.
  void Stop();

  void Attached(const HostId& host) override;
  void Lost(const HostId& host) override;
  void Answered(const Answer& answer) override;
  void Refused(const CommandId& id, bool again, const std::string& text) override;
  void Sighted(const HostId& host, const Observed& observed) override;
  void Witnessed(const HostId& host, const RolloutId& rollout, const Fence& fence) override;

 private:
  using Event = std::function<void(RunnerPool&)>;
  void Push(Event event);
  void Run(RunnerPool& pool);
  void WriteMarks();

  Registry& registry_;
  const Clock& clock_;
  BoundedQueue<Event> queue_;
  std::thread thread_;
  std::map<HostId, absl::Time> marks_;  // of the thread: last seen, not written yet
};

}  // namespace slipway::controller
