// Work in a process of its own, so that its peak memory is its own too.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace slipway::test {

struct ChildEnd {
  std::string said;              // what the work returned; "" when the child died
  std::uint64_t peak_bytes = 0;  // resident memory that the work added at most
};

// Runs `work` in a child of this process, which must have no other thread. A child that dies fails
// the test.
ChildEnd InChild(const std::function<std::string()>& work);

}  // namespace slipway::test
