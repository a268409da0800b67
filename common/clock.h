// The two clocks of a process, as a port.
#pragma once

#include "absl/time/time.h"

namespace slipway {

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;

  // Wall time: for people, certificates, windows and schedules. May jump.
  virtual absl::Time Now() const = 0;

  // Time since an arbitrary start, including suspend (CLOCK_BOOTTIME). Never jumps:
  // for deadlines and timeouts.
  virtual absl::Duration Monotonic() const = 0;

  // Returns once Monotonic() has moved on by `by`: the only way to wait for time to pass. Real
  // clocks block the thread; a clock that a test moves by hand moves on at once.
  virtual void Sleep(absl::Duration by) const = 0;
};

// The machine's clocks. The only caller of absl::Now in the product.
const Clock& SystemClock();

}  // namespace slipway
