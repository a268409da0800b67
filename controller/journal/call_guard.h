// Ends calls over a socket that get no answer: the other side is frozen, or the network swallows
// what is sent. A blocked reader finds its socket shut down.
#pragma once

#include <set>
#include <thread>

#include "absl/time/time.h"
#include "common/clock.h"
#include "common/mutex.h"

namespace slipway::controller {

// Thread-safe. One thread, which looks a few times a second; outlives its calls.
class CallGuard {
 public:
  // `clock` outlives the guard.
  explicit CallGuard(const Clock& clock);
  ~CallGuard();
  CallGuard(const CallGuard&) = delete;
  CallGuard& operator=(const CallGuard&) = delete;

  // One call: from its beginning to its end `socket` stays open.
  class Call {
   public:
    Call(CallGuard& guard, int socket, absl::Duration limit);
    ~Call();
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

   private:
    friend class CallGuard;
    CallGuard& guard_;
    const int socket_;
    const absl::Duration deadline_;  // monotonic
  };

 private:
  void Loop();

  const Clock& clock_;
  Mutex mu_;
  CondVar closing_changed_;
  std::set<const Call*> calls_ ABSL_GUARDED_BY(mu_);
  bool closing_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace slipway::controller
