// One host as it really is: what the commands are about, seen by nobody but the oracle.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "common/model/command.h"

namespace slipway::sim {

inline constexpr char kApp[] = "/srv/media";

enum class Kind { stage, stop, switch_release, start, check, bake, migrate };

// What the simulator's plans write into a command's payload.
struct Work {
  Kind kind = Kind::stage;
  std::string release;  // the new one
};
std::string ToPayload(const Work& work);
std::optional<Work> ParsePayload(const std::string& payload);

struct HostWorld {
  std::string on_disk;    // what `current` names; "" = nothing
  std::string running;    // what the process was started from; "" = none
  std::uint64_t pid = 0;  // changes whenever the service is started
  int schema = 7;
  std::set<std::string> ill_releases;  // start here, but are never healthy
  std::uint64_t mishaps = 0;           // changes that no command made

  bool IsHealthy() const { return !running.empty() && !ill_releases.contains(running); }
  Observed Observe() const;
};

// Does what the command is for, wholly. Returns what the agent would answer.
Verdict Perform(HostWorld& host, const Command& command);

// What a probe can see: whether the host looks as it does after the command.
bool LooksDone(const HostWorld& host, const Command& command);

// Whether a look at the host tells if the command had its effect.
bool ProbeDecides(const Command& command);

}  // namespace slipway::sim
