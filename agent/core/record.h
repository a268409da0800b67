// Facts of one agent, in past tense: what its command log holds. Apply() is their only reader.
#pragma once

#include <string>
#include <variant>

#include "common/model/command.h"

namespace slipway::agent {

// The agent came up. What was running is to be probed from here on.
struct Booted {
  std::string boot_id;
  bool operator==(const Booted&) const = default;
};

// ACCEPTED: durable before anything of it happens. Carries the fence it came under; again, when a
// newer controller asks for a command that still waits.
struct Accepted {
  Command command;
  bool operator==(const Accepted&) const = default;
};

// RUNNING: durable before the action starts, so that a command without this record provably
// had no effect. The boot is that of the last Booted.
struct Started {
  CommandId id;
  bool operator==(const Started&) const = default;
};

// The probe found it alive: it goes on.
struct Adopted {
  CommandId id;
  bool operator==(const Adopted&) const = default;
};

// OUTCOME: durable before anyone is told. Never changes.
struct Answered {
  Answer answer;
  bool operator==(const Answered&) const = default;
};

// The controller has the answer.
struct Acked {
  CommandId id;
  bool operator==(const Acked&) const = default;
};

// The rollout is over; only this tombstone is left of it.
struct Closed {
  RolloutId rollout;
  bool operator==(const Closed&) const = default;
};

// A newer controller was seen without a new command: it sent again what was known.
struct Fenced {
  RolloutId rollout;
  Fence fence;
  bool operator==(const Fenced&) const = default;
};

using Record = std::variant<Booted, Accepted, Started, Adopted, Answered, Acked, Closed, Fenced>;

}  // namespace slipway::agent
