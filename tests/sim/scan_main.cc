// sim_scan FIRST COUNT [MUTANT]: runs many seeds and prints one line for each violation, for
// the work on the simulator and on what it found.
#include <cstdlib>
#include <iostream>
#include <map>

#include "tests/sim/simulation.h"

int main(int argc, char** argv) {
  using namespace slipway::sim;
  const auto number = [&](int i, std::uint64_t otherwise) {
    return argc > i ? std::strtoull(argv[i], nullptr, 10) : otherwise;
  };
  const std::uint64_t first = number(1, 0), count = number(2, 1000);
  const auto mutant = static_cast<Mutant>(number(3, 0));
  std::map<std::string, int> found;
  Coverage coverage;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    const Report report = Simulate(seed, mutant);
    coverage.Add(report.coverage);
    if (!report.violation) continue;
    if (++found[report.violation->invariant] <= 5) {
      std::cout << "seed " << seed << " " << report.violation->invariant << ": "
                << report.violation->text << "\n";
    }
  }
  for (const auto& [invariant, times] : found) std::cout << times << " of " << invariant << "\n";
  std::cout << Table(coverage);
  return found.empty() ? 0 : 1;
}
