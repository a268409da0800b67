// Many agents in one process: a few threads, each with a completion queue and its share of them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "tools/swarm/members.h"
#include "tools/swarm/swarm_agent.h"

namespace slipway::swarm {

struct Behaviour {
  int threads = 1;
  double dials_per_second = 1000;  // of the first attempts; later ones follow the agents' back-off
  // Of each thread. To begin a dial costs it a millisecond or two, in which no handshake goes on:
  // with all of them at once each would be cut off by its time limit, and begun anew.
  int dials_at_once = 16;
  absl::Duration takes;  // each action
  std::string hold;      // while this file is there no action ends; "" = none
  bool plain = false;    // without TLS, at a listener that is made for it (plaintext.h)
  absl::Duration beat = absl::InfiniteDuration();  // beats beside those of the sessions
};

// Thread-safe.
class Swarm {
 public:
  // Dials at once. `clock` outlives the swarm.
  static absl::StatusOr<std::unique_ptr<Swarm>> Start(const std::vector<Member>& members,
                                                      const std::string& address,
                                                      const Behaviour& behaviour,
                                                      const Clock& clock);
  // Ends all sessions.
  ~Swarm();

  const Tally& tally() const { return tally_; }

 private:
  class Thread;
  Swarm();
  Tally tally_;
  std::vector<std::unique_ptr<Thread>> threads_;
};

}  // namespace slipway::swarm
