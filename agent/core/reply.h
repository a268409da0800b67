// What the agent tells the controller about commands.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "common/model/command.h"

namespace slipway::agent {

// The command is on the agent's disk and will be answered.
struct Acceptance {
  CommandId id;
  bool operator==(const Acceptance&) const = default;
};

// The command was not taken and had no effect.
struct Refusal {
  enum class Why {
    wrong_host,         // meant for another host
    other_session,      // late bytes of an earlier connection
    unknown_direction,  // from a newer controller
    closed_rollout,     // the rollout is over
    stale_epoch,        // a newer controller drives the rollout
    other_holder,       // the same epoch was given out twice
    epoch_jump,         // too far ahead to be true
    old_attempt,        // a later attempt of the task, or a later command of the rollout, is known
    overloaded,         // too many commands wait or are remembered
    no_space,           // the agent's disk is full
  };
  CommandId id;
  Why why = Why::stale_epoch;
  std::string text;  // for people: what, why, what to do
  bool operator==(const Refusal&) const = default;
};

std::string_view ToString(Refusal::Why why);

using Reply = std::variant<Acceptance, Answer, Refusal>;

}  // namespace slipway::agent
