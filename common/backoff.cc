#include "common/backoff.h"

#include <algorithm>

namespace slipway {

absl::Duration FullJitter(const Backoff& backoff, int attempt, double chance) {
  absl::Duration longest = backoff.base;
  for (int i = 0; i < attempt && longest < backoff.cap; ++i) longest *= 2;
  return std::min(longest, backoff.cap) * std::clamp(chance, 0.0, 1.0);
}

}  // namespace slipway
