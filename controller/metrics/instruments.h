// What happens in the controller, counted: events of rollouts, the journal, agents' sessions.
//
// Labels hold words of fixed lists only (actions, outcomes, ends), so that the number of series
// does not grow with hosts, rollouts or releases. docs/metrics.md has every name.
#pragma once

#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/model/ids.h"
#include "common/model/outcome.h"
#include "common/mutex.h"
#include "controller/engine/engine.h"

namespace prometheus {
class Registry;
}

namespace slipway::controller {

// Thread-safe.
class Instruments {
 public:
  // `registry` outlives the object.
  explicit Instruments(prometheus::Registry& registry);
  ~Instruments();

  // Events that became durable, and the state behind them.
  void Appended(const engine::State& state, const std::vector<engine::Event>& events);

  // A rollout was created.
  void Started();

  // One append to the journal, from the call to its return.
  void AppendBegan();
  void AppendEnded(absl::Duration took, const absl::Status& status, std::size_t records);

  void Attached(const HostId& host) ABSL_LOCKS_EXCLUDED(mu_);
  void Lost();
  void Answered(Verdict verdict);
  void Sent();

 private:
  struct Families;
  const std::unique_ptr<Families> families_;
  Mutex mu_;
  std::set<HostId> seen_ ABSL_GUARDED_BY(mu_);  // since the start: who comes again
};

}  // namespace slipway::controller
