// Which faults struck together, and at which moment of a rollout: a campaign in which two of them
// never met proves nothing about their meeting.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace slipway::sim {

enum class Fault {
  agent_killed,
  agent_crashed_in_write,
  agent_sync_failed,
  agent_disk_full,
  agent_slow,
  machine_rebooted,
  service_died,
  message_lost,
  message_doubled,
  message_late,
  partitioned,
  controller_killed,
  controller_crashed_in_append,
  append_in_doubt,
  controller_disk_full,
  controller_slow,
  taken_over,
  controller_power_cut,
  controller_sync_failed,
  command_failed,
  command_hung,
  command_not_yet,
  person_interfered,
  count_,
};
inline constexpr std::size_t kFaults = static_cast<std::size_t>(Fault::count_);

// What the newest rollout is doing.
enum class Moment {
  none,  // not begun, or over
  stage,
  database,
  exchange,  // stop, switch, start, check
  verify,
  gate,
  held,  // somebody has to say something
  way_back,
  count_,
};
inline constexpr std::size_t kMoments = static_cast<std::size_t>(Moment::count_);

class Pairs {
 public:
  // A fault that came at most so long ago still has its consequences: cuts, full disks, slow and
  // frozen processes last for minutes.
  static constexpr absl::Duration kTogether = absl::Minutes(5);

  void Strike(Fault fault, Moment moment, absl::Time now);
  void Add(const Pairs& other);

  // How often `second` struck while `first` had its consequences.
  std::uint64_t met(Fault first, Fault second) const { return met_[At(first)][At(second)]; }
  std::uint64_t struck(Fault fault, Moment moment) const { return struck_[At(fault)][At(moment)]; }

  // Pairs that could have met and did not, one line each.
  std::vector<std::string> Missing() const;
  // Fewest meetings of a pair that can meet, and which it was.
  std::string Rarest() const;
  std::string Table() const;

 private:
  template <class Enum>
  static std::size_t At(Enum value) {
    return static_cast<std::size_t>(value);
  }

  std::array<std::array<std::uint64_t, kFaults>, kFaults> met_ = {};
  std::array<std::array<std::uint64_t, kMoments>, kFaults> struck_ = {};
  std::array<absl::Time, kFaults> last_ = NeverYet();
  static std::array<absl::Time, kFaults> NeverYet();
};

const char* NameOf(Fault fault);
const char* NameOf(Moment moment);
// Why these two cannot meet, "" when they can.
std::string CannotMeet(Fault first, Fault second);
std::string CannotStrike(Fault fault, Moment moment);

}  // namespace slipway::sim
