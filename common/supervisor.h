// Word to the service manager that started this process: the protocol of sd_notify(3).
//
// A datagram in our own words instead of libsystemd: the protocol is small and promised to stay,
// and the library would be a tenth of an idle agent.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/clock.h"

namespace slipway {

// Thread-safe. Without a service manager all of this does nothing.
class Supervisor {
 public:
  // What NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID say. They are taken out of the environment,
  // so that no child speaks in our name: call it in main, before the first thread. `clock` outlives
  // the object.
  explicit Supervisor(const Clock& clock);
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  // The process does its work from now on. `status` is a line for people.
  void Ready(std::string_view status) const;
  void Status(std::string_view status) const;
  void Stopping() const;
  // Said again and again by the loop that must not hang; sent four times in the watchdog's interval
  // at most. Silence for a whole interval gets the process killed and started anew.
  void Alive();

 private:
  void Send(const std::string& lines) const;

  const Clock& clock_;
  std::string address_;                                 // as in NOTIFY_SOCKET; "" = nobody
  absl::Duration interval_ = absl::InfiniteDuration();  // of the watchdog
  int socket_ = -1;
  std::atomic<std::int64_t> alive_at_us_;  // on the monotonic clock, when last sent
};

}  // namespace slipway
