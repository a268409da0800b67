// What the outside may say to a rollout. Each input carries the engine time at which it
// arrived: last journaled time plus monotonic time since, so that a controller's downtime
// eats no deadline.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "common/model/observed.h"
#include "common/model/outcome.h"
#include "controller/engine/event.h"
#include "controller/engine/types.h"

namespace slipway::engine {

// Time has passed. Sent when NextWake() is due; harmless at any other time.
struct Tick {
  Time now;
};

// The host's session is up. May repeat.
struct Attached {
  Time now;
  HostIx host = 0;
};

// The host's session broke or fell silent.
struct Lost {
  Time now;
  HostIx host = 0;
};

// An agent's answer about one attempt. Arrives at least once, possibly late.
struct Reported {
  Time now;
  TaskId task;
  int attempt = 0;
  Verdict verdict = Verdict::unknown;
  std::string message;  // one line: what, why
  std::string excerpt;  // last lines of the step's own output
  Observed observed;    // what the host looks like now (the apps of this rollout)
};

// A host's own report, outside any task.
struct Sighted {
  Time now;
  HostIx host = 0;
  Observed observed;
};

// What people say. `hosts` empty means all.
struct Verb {
  enum class Kind { pause, resume, abort, retry, skip, roll_back, approve, reject, note };
  Time now;
  Kind kind = Kind::pause;
  std::string who;  // the certificate's URI
  std::string reason;
  std::vector<HostIx> hosts;  // retry, skip
  bool at_once = false;       // pause, abort, roll_back: do not wait for chains to finish
  bool leave_mixed = false;   // abort during a rollback
  std::string phase = {};     // approve, also ahead: of its gate; empty: what is waited at
};

// A health or watch trigger fired.
struct Tripped {
  Time now;
  HostIx host = 0;
  std::string reason;
};

using Input = std::variant<Tick, Attached, Lost, Reported, Sighted, Verb, Tripped>;

}  // namespace slipway::engine
