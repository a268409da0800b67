// The whole state of one agent's commands: a value, rebuilt by applying its records.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/model/command.h"

namespace slipway::agent {

// An epoch that rises by more than this in one step is not believed: a stolen controller could
// otherwise shut out every honest one for ever.
inline constexpr std::uint64_t kEpochJumpMax = 1000;
// Closed rollouts that are remembered. Late bytes of older ones fail at the session's nonce.
inline constexpr std::size_t kTombstonesMax = 1000;
// Commands that wait for the one that runs. A controller sends one at a time, and one more when it
// turns back at once.
inline constexpr std::size_t kWaitingMax = 64;
// Commands remembered until their rollouts close.
inline constexpr std::size_t kEntriesMax = 20'000;
static_assert(kWaitingMax < kEntriesMax);

struct Entry {
  // waiting -> running <-> probing -> ended -> acknowledged
  enum class Phase {
    waiting,       // accepted; nothing of it has happened
    running,       // started by this process, or adopted
    probing,       // started before a restart: what became of it is being found out
    ended,         // answered; the controller may not know yet
    acknowledged,  // the controller has the answer
  };
  Command command;  // without payload and vars once it ended
  Phase phase = Phase::waiting;
  std::string boot_id;  // of the boot in which it was started
  Answer answer;        // ended, acknowledged
  bool operator==(const Entry&) const = default;
};

struct State {
  HostId host;  // set by the owner; commands for others are refused
  std::string boot_id;

  std::map<CommandId, Entry> entries;  // until their rollout closes
  std::deque<CommandId> waiting;       // in the order of acceptance
  std::optional<CommandId> current;    // running or probing: one at a time on a host
  std::vector<CommandId> outbox;       // ended, in that order

  std::map<RolloutId, Fence> witness;  // highest (epoch, holder) and highest (sequence, head)
  std::deque<RolloutId> closed;        // newest last

  bool operator==(const State&) const = default;
};

}  // namespace slipway::agent
