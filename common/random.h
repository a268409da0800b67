// Where chance enters the program. What decides takes it as an input; only the edges ask for it.
#pragma once

#include <cstdint>
#include <random>

namespace slipway {

// A seed that no other process has. Not for secrets. Any thread.
inline std::uint64_t RandomSeed() {
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32) | device();
}

}  // namespace slipway
