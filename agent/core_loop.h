// The thread of the agent's core: hears the session and the actions, pumps the core, and keeps a
// snapshot for those who must not wait for its disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "agent/runner/task_runner.h"
#include "common/bounded_queue.h"
#include "common/clock.h"
#include "common/mutex.h"

namespace slipway::agent {

// Thread-safe.
class CoreLoop {
 public:
  struct Snapshot {
    std::vector<Witness> witnesses;
    std::vector<CommandId> running;  // accepted and not ended
    std::size_t outbox = 0;          // answers that nobody has acknowledged
    std::uint64_t log_bytes = 0;
  };

  // Called on the loop's thread.
  struct Calls {
    // Nobody can tell any more what is on the disk: ends the process. Does not return in
    // production.
    std::function<void(const absl::Status&)> fatal;
    // The rollout is over, durably.
    std::function<void(const RolloutId&, const State&)> closed;
    // At least every few seconds, while nothing holds the loop up.
    std::function<void(bool connected)> turned = [](bool) {};
  };

  CoreLoop(const Clock& clock, Calls calls);
  ~CoreLoop() { Stop(); }

  // `runner` outlives the loop's thread.
  void Start(TaskRunner& runner);
  // Ends after the batch that is being pumped.
  void Stop();

  // What the core is to hear. When too much waits, the oldest senders say it again.
  void Hear(Input input);
  void Connected();
  void Disconnected();

  Snapshot Now() const ABSL_LOCKS_EXCLUDED(mu_);
  bool IsRunning(const CommandId& id) const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Presence {
    bool connected = false;
  };
  using Message = std::variant<Input, Presence>;

  void Run(TaskRunner& runner);
  bool Pump(TaskRunner& runner, std::vector<Input>& inputs);
  void Publish(const TaskRunner& runner) ABSL_LOCKS_EXCLUDED(mu_);
  void SayAgainWhenDue(TaskRunner& runner);

  const Clock& clock_;
  const Calls calls_;
  BoundedQueue<Message> inbox_;
  std::thread thread_;

  // Of the loop's thread.
  bool connected_ = false;
  absl::Duration said_at_ = absl::ZeroDuration();

  mutable Mutex mu_;
  Snapshot snapshot_ ABSL_GUARDED_BY(mu_);
};

}  // namespace slipway::agent
