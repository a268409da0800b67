// From agents' sessions to the rollouts: a thread of its own between them, so that a slow disk
// never keeps the sessions' thread from its beats.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <thread>

#include "common/bounded_queue.h"
#include "common/clock.h"
#include "controller/fleet/fleet_view.h"
#include "controller/fleet/session_events.h"
#include "controller/registry/registry.h"
#include "controller/runner/runner_pool.h"

namespace slipway::controller {

// Thread-safe. Notes in the registry when hosts were seen and what they said of themselves.
class PoolEvents final : public SessionEvents {
 public:
  // All outlive the object. What comes before Start waits.
  PoolEvents(Registry& registry, const FleetView& view, const Clock& clock);
  ~PoolEvents() override { Stop(); }

  // `pool` outlives the thread.
  void Start(RunnerPool& pool);
  // Hears what came before, then ends.
  void Stop();

  // How many events wait for the rollouts.
  std::size_t waiting() const { return queue_.size(); }

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
  struct Mark {
    absl::Time at;
    bool turned = false;  // a session began or ended
  };
  void Turned(const HostId& host, absl::Time at) { marks_[host] = {at, true}; }
  void WriteMark();
  absl::Status Write(const HostId& host, const Mark& mark);

  Registry& registry_;
  const FleetView& view_;
  const Clock& clock_;
  BoundedQueue<Event> queue_;
  std::thread thread_;
  std::map<HostId, Mark> marks_;           // of the thread: not written yet
  std::map<HostId, std::string> reports_;  // of the thread: as written
};

}  // namespace slipway::controller
