// Sessions between agents and the controller, over a network that loses, doubles, delays,
// reorders and cuts.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "agent/core/reply.h"
#include "common/model/command.h"
#include "controller/engine/types.h"
#include "tests/sim/rig.h"

namespace slipway::sim {

struct AnswerAck {
  CommandId id;
};
struct ClosedNote {
  RolloutId rollout;
};
using Down = std::variant<Command, AnswerAck, ClosedNote>;
// A reply, or a look at the host outside of any command.
struct Sighting {
  Observed observed;
};
struct Complaint {
  std::string reason;
};  // a health trigger
using Up = std::variant<agent::Reply, Sighting, Complaint>;

class Network {
 public:
  Network(Rig& rig, std::size_t hosts) : rig_(rig), links_(hosts) {}

  // Only enqueue. What is lost breaks the session, as it would with a stream.
  void SendDown(std::size_t host, Down message);
  void SendUp(std::size_t host, Up message);

  // Tries to connect until it works.
  void Dial(std::size_t host);
  // A process ended: its end of the session is gone at once, the other end notices later.
  void AgentDied(std::size_t host);
  void ControllerDied();

  void Break(std::size_t host);
  void Cut(std::size_t host, bool cut);
  void Heal();

  bool ControllerSees(std::size_t host) const { return links_[host].controller_end != 0; }
  bool IsQuiet() const { return in_flight_ == 0; }

 private:
  struct Link {
    std::uint64_t agent_end = 0;       // session that the agent believes in; 0 = none
    std::uint64_t controller_end = 0;  // the same of the controller
    bool cut = false;
    bool dialing = false;
    std::uint64_t said = 0;   // messages that the agent sent, over all sessions
    std::uint64_t heard = 0;  // the latest of them that arrived
  };

  void Connect(std::size_t host);
  void NoticeAtAgent(std::size_t host, std::uint64_t session);
  void NoticeAtController(std::size_t host, std::uint64_t session);
  template <class Deliver>
  void Transmit(std::size_t host, const Deliver& deliver);
  void DeliverDown(std::size_t host, const Down& message);
  void DeliverUp(std::size_t host, std::uint64_t session, std::uint64_t place, const Up& message);

  Rig& rig_;
  std::vector<Link> links_;
  std::uint64_t sessions_ = 0;
  std::int64_t in_flight_ = 0;
};

}  // namespace slipway::sim
