// The only source of chance: one seed, one run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>

#include "absl/time/time.h"

namespace slipway::sim {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed * 0x9E3779B97F4A7C15ULL + 1) {}

  std::uint64_t Next() { return random_(); }
  // 0 ... bound - 1.
  std::size_t Below(std::size_t bound) { return bound == 0 ? 0 : random_() % bound; }
  bool Chance(double probability) {
    return static_cast<double>(random_() >> 11) * 0x1.0p-53 < probability;
  }
  absl::Duration Between(absl::Duration low, absl::Duration high) {
    const auto span = static_cast<std::uint64_t>(absl::ToInt64Microseconds(high - low));
    return low + absl::Microseconds(static_cast<std::int64_t>(random_() % (span + 1)));
  }
  template <class Container>
  const auto& Pick(const Container& from) {
    return *(from.begin() + static_cast<std::ptrdiff_t>(Below(from.size())));
  }

 private:
  std::mt19937_64 random_;
};

}  // namespace slipway::sim
