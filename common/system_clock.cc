#include <time.h>

#include <algorithm>
#include <cerrno>

#include "absl/time/clock.h"
#include "common/clock.h"

namespace slipway {
namespace {

class MachineClock final : public Clock {
 public:
  absl::Time Now() const override { return absl::Now(); }
  absl::Duration Monotonic() const override {
    timespec ts{};
    clock_gettime(CLOCK_BOOTTIME, &ts);
    return absl::DurationFromTimespec(ts);
  }
  void Sleep(absl::Duration by) const override {
    timespec left = absl::ToTimespec(std::max(by, absl::ZeroDuration()));
    while (clock_nanosleep(CLOCK_BOOTTIME, 0, &left, &left) == EINTR) {
    }
  }
};

}  // namespace

const Clock& SystemClock() {
  static const MachineClock clock;
  return clock;
}

}  // namespace slipway
