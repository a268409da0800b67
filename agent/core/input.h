// What the outside may tell the agent's core.
#pragma once

#include <string>
#include <variant>

#include "common/model/command.h"

namespace slipway::agent {

// The agent's process came up. The first input after a replay, always.
struct Restarted {
  std::string boot_id;  // /proc/sys/kernel/random/boot_id: another one means that all children died
};

// A command came over the session whose nonce is `nonce`. May come twice and late.
struct Received {
  Command command;
  std::string nonce;
};

// What was started is over; `answer.id` names it. Also by its timeout, also when it was cancelled.
struct Ended {
  Answer answer;
};

// What a probe after a restart found; `answer.id` names the command. `still_running`: its process
// lives and was adopted (the rest of `answer` is ignored; Ended follows later).
struct Probed {
  Answer answer;
  bool still_running = false;
};

// The controller has this answer on its disk.
struct Acknowledged {
  CommandId id;
};

// The rollout is over: forget all of it.
struct RolloutClosed {
  RolloutId rollout;
};

using Input = std::variant<Restarted, Received, Ended, Probed, Acknowledged, RolloutClosed>;

}  // namespace slipway::agent
