// A clock that a test moves by hand.
#pragma once

#include "common/clock.h"
#include "common/mutex.h"

namespace slipway {

// Thread-safe.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(absl::Time start = absl::FromUnixSeconds(1'700'000'000)) : now_(start) {}

  absl::Time Now() const override {
    MutexLock lock(mu_);
    return now_;
  }
  absl::Duration Monotonic() const override {
    MutexLock lock(mu_);
    return elapsed_;
  }
  void Sleep(absl::Duration by) const override {
    MutexLock lock(mu_);
    now_ += by;
    elapsed_ += by;
  }

  void Advance(absl::Duration by) {
    MutexLock lock(mu_);
    now_ += by;
    elapsed_ += by;
  }
  // Moves wall time only, as an administrator or NTP would.
  void JumpWall(absl::Duration by) {
    MutexLock lock(mu_);
    now_ += by;
  }

 private:
  mutable Mutex mu_;
  mutable absl::Time now_ ABSL_GUARDED_BY(mu_);
  mutable absl::Duration elapsed_ ABSL_GUARDED_BY(mu_) = absl::Hours(1);
};

}  // namespace slipway
