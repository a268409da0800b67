// What travels between the two cores: one command down, one answer up.
#pragma once

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "common/model/ids.h"
#include "common/model/observed.h"
#include "common/model/outcome.h"

namespace slipway {

// What an agent is asked to do with a payload.
enum class Direction {
  apply,     // do it
  undo,      // reverse what `apply` did, by the agent's own deployment record
  previous,  // do it, bound to the release that was there before (checks after a rollback)
};

// Where a controller stands in a rollout's history. An agent refuses an older epoch, and the same
// epoch from another holder; it remembers (sequence, head) as a witness.
struct Fence {
  std::uint64_t epoch = 0;     // rises with each take-over of the rollout
  std::string holder;          // random, one for each controller process
  std::uint64_t sequence = 0;  // newest durable journal record when the command was sent: the
                               // event behind the command or a later one
  std::string head;            // hash-chain head at that record, hex
  bool operator==(const Fence&) const = default;
};

struct Command {
  CommandId id;
  Fence fence;
  std::string nonce;  // of the session it is meant for: late bytes of an old one are refused
  Direction direction = Direction::apply;
  std::string payload;   // serialized slipway.v1.Task; opaque to both cores
  std::string vars;      // serialized slipway.v1.HostVars; opaque to both cores
  std::string previous;  // release digest that the rollout found here; "" = nothing was deployed
  absl::Duration timeout = absl::Minutes(10);
  bool operator==(const Command&) const = default;
};

// One attempt's end, as the agent recorded it before telling anyone. Sent until acknowledged;
// always with the same content.
struct Answer {
  CommandId id;
  Verdict verdict = Verdict::unknown;
  std::string message;  // one line: what, why
  std::string excerpt;  // last lines of the step's own output
  Observed observed;    // what the host looked like then
  absl::Duration took = absl::ZeroDuration();
  bool operator==(const Answer&) const = default;
};

}  // namespace slipway
