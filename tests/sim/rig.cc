#include "tests/sim/rig.h"

#include <cstdlib>
#include <iostream>
#include <utility>

#include "tests/sim/checkers.h"
#include "tests/sim/controller_side.h"
#include "tests/sim/machine.h"

namespace slipway::sim {

Rig::Rig(std::uint64_t seed, Mutant mutant_in)
    : dice(seed), mutant(mutant_in), tells(std::getenv("SLIPWAY_SIM_TRACE") != nullptr) {}
Rig::~Rig() = default;

void Rig::Strike(Fault fault) {
  Stir();
  Tell("-- ", NameOf(fault));
  pairs.Strike(fault, checkers->Now(), timeline.Now());
}

void Rig::ArmNext() {
  armed_ = kills.front();
  kills.pop_front();
  if (armed_->host != Kill::kController) {
    using Crash = agent::FakeLogFile::Crash;
    Machine& machine = *machines[static_cast<std::size_t>(armed_->host)];
    return machine.disk().CrashAfter(armed_->operation, static_cast<Crash>(armed_->how));
  }
  using Crash = JournalDisk::Crash;
  const bool before = armed_->how == Kill::How::before;
  const bool after = armed_->how == Kill::How::after;
  controllers->disk()->CrashAfter(armed_->operation,
                                  before ? Crash::before : (after ? Crash::after : Crash::torn));
}

void Rig::Started(int host) {
  if (!armed_ && !kills.empty() && kills.front().host == host) ArmNext();
}

bool Rig::PowerGoesToo(int host) {
  if (!armed_ || armed_->host != host) return false;
  const bool power_cut = std::exchange(armed_, std::nullopt)->power_cut;
  if (kills.empty() || kills.front().host == host) return power_cut;
  const int next = kills.front().host;
  const bool runs = next == Kill::kController
                        ? controllers->IsUp()
                        : machines[static_cast<std::size_t>(next)]->agent() != nullptr;
  if (runs) ArmNext();
  return power_cut;
}

void Rig::TellLine(const std::string& line) const {
  std::cout << absl::FormatTime("%H:%M:%E3S", timeline.Now(), absl::UTCTimeZone()) << " " << line
            << "\n";
}

}  // namespace slipway::sim
