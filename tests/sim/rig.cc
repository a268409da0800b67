#include "tests/sim/rig.h"

#include <cstdlib>
#include <iostream>

#include "tests/sim/machine.h"

namespace slipway::sim {

Rig::Rig(std::uint64_t seed, Mutant mutant_in)
    : dice(seed), mutant(mutant_in), tells(std::getenv("SLIPWAY_SIM_TRACE") != nullptr) {}
Rig::~Rig() = default;

void Rig::TellLine(const std::string& line) const {
  std::cout << absl::FormatTime("%H:%M:%E3S", timeline.Now(), absl::UTCTimeZone()) << " " << line
            << "\n";
}

}  // namespace slipway::sim
