// sim_scan FIRST COUNT [MUTANT [STORAGE]]: runs many seeds and prints one line for each violation,
// for the work on the simulator and on what it found.
#include <cstdlib>
#include <iostream>
#include <map>

#include "common/log.h"
#include "tests/sim/simulation.h"

int main(int argc, char** argv) {
  using namespace slipway::sim;
  slipway::log::Init("sim", slipway::log::Level::error);
  const auto number = [&](int i, std::uint64_t otherwise) {
    return argc > i ? std::strtoull(argv[i], nullptr, 10) : otherwise;
  };
  const std::uint64_t first = number(1, 0), count = number(2, 1000);
  const auto mutant = static_cast<Mutant>(number(3, 0));
  const auto storage = static_cast<Storage>(number(4, 0));
  std::map<std::string, int> found;
  Coverage coverage;
  Pairs pairs;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    const Report report = Simulate(seed, mutant, storage);
    coverage.Add(report.coverage);
    pairs.Add(report.pairs);
    if (!report.violation) continue;
    if (++found[report.violation->invariant] <= 5) {
      std::cout << "seed " << seed << " " << report.violation->invariant << ": "
                << report.violation->text << "\n";
    }
  }
  for (const auto& [invariant, times] : found) std::cout << times << " of " << invariant << "\n";
  std::cout << Table(coverage) << pairs.Table() << "rarest: " << pairs.Rarest() << "\n";
  for (const std::string& missing : pairs.Missing()) std::cout << missing << "\n";
  return found.empty() ? 0 : 1;
}
