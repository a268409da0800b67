// Whether the program that runs now has shown that it can do its work: that it attached.
//
//   DIR/program/proven   path of the newest program that did
//   DIR/program/tries    "N PATH": starts of one that did not yet (deploy/systemd/start-agent)
//
// A rollout may put a new program beside the old one. Whoever starts the agent gives it three
// starts; here it gets a limited time in each, so that one that runs and cannot attach fails as
// well.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace slipway::agent {

// One thread at a time.
class ProgramProof {
 public:
  // `executable`: that of this process. `now` and those below are on the clock's Monotonic().
  ProgramProof(std::string dir, std::string executable, absl::Duration now);

  // Now and then. What is proven is durable when this returns OK; without space for it, the next
  // look tries again. DEADLINE_EXCEEDED: not attached in time, and an older program should go on.
  absl::Status Look(bool attached, absl::Duration now);

 private:
  const std::string dir_;
  const std::string executable_;
  bool proven_ = false;
  absl::Duration give_up_at_ = absl::InfiniteDuration();
};

// The executable of this process; "" when nobody knows.
std::string OwnExecutable();

}  // namespace slipway::agent
