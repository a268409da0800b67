// What the driver of units asks of systemd, as a port: the calls and the one signal of
// org.freedesktop.systemd1 that it needs.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace slipway::agent {

// A unit at one moment, in systemd's own words.
struct UnitLook {
  std::string load_state = {};    // loaded, not-found, masked, bad-setting, error
  std::string load_error = {};    // for people
  std::string active_state = {};  // active, reloading, inactive, failed, activating, deactivating
  std::string sub_state = {};
  std::string result = {};      // of the last run: success, exit-code, signal, timeout, oom-kill, …
  std::string invocation = {};  // 32 hex digits, another one for each start; "" = none since boot
  std::string job = {};         // object path of what is queued for it; "" = nothing
  bool changed_on_disk = false;                  // since systemd read it
  bool conditions_met = true;                    // at the last start
  pid_t main_pid = 0;                            // 0 = no main process
  pid_t last_main_pid = 0;                       // the same, also after its end
  absl::Time main_began = absl::InfinitePast();  // the last main process
  int main_code = 0;          // how it ended: CLD_EXITED, CLD_KILLED, CLD_DUMPED; 0 = not yet
  int main_status = 0;        // exit status or signal
  int restarts = 0;           // by systemd itself, since somebody started it
  int stop_signal = SIGTERM;  // that a stop begins with
  absl::Time active_since = absl::InfinitePast();
  absl::Time inactive_since = absl::InfinitePast();
  absl::Time began = absl::InfinitePast();  // of the invocation

  bool gone() const { return active_state == "inactive" || active_state == "failed"; }
};

// "done", "failed", "canceled", "timeout", "dependency", "skipped", …
struct JobEnd {
  std::string job;
  std::string result;
};

// One connection. Not thread-safe. Each call waits for at most 10 seconds.
//
// Errors of every call: UNAVAILABLE, the connection is of no use any more (connect again);
// PERMISSION_DENIED, refused by polkit or for the lack of privileges; NOT_FOUND, no such unit;
// FAILED_PRECONDITION, the unit is masked, or systemd cannot do it now; with unit and reason.
class SystemdSession {
 public:
  virtual ~SystemdSession() = default;

  // A unit that is not there is no error: its `load_state` says so.
  virtual absl::StatusOr<UnitLook> Look(const std::string& unit) = 0;
  // Until the session ends, systemd does not forget how the unit ended. Nothing where that is
  // refused.
  virtual void Keep(const std::string& unit) = 0;
  // Queues a job in place of any that is queued for the unit; its object path.
  virtual absl::StatusOr<std::string> Start(const std::string& unit) = 0;
  virtual absl::StatusOr<std::string> Stop(const std::string& unit) = 0;
  // A job that ended since the session began and was not told yet; waits for one at most `limit`.
  virtual absl::StatusOr<std::optional<JobEnd>> NextEnd(absl::Duration limit) = 0;
  // To the main process, or to all of the unit. One that has no process is no error.
  virtual absl::Status Signal(const std::string& unit, bool all, int signal) = 0;
  // All that live in the unit's control groups.
  virtual absl::StatusOr<std::vector<pid_t>> Processes(const std::string& unit) = 0;
  // Forgets failures and how often it was started lately.
  virtual absl::Status ResetFailed(const std::string& unit) = 0;
  // Reads all units from disk again.
  virtual absl::Status Reload() = 0;
  // The machine is on its way down or to a new boot: units end because of that. True from before
  // the first of them is told to.
  virtual absl::StatusOr<bool> GoesDown() = 0;
};

// Thread-safe.
class Systemd {
 public:
  virtual ~Systemd() = default;
  // A session that hears of each job that ends from now on. UNAVAILABLE: systemd does not answer
  // now; FAILED_PRECONDITION: there is none on this host.
  virtual absl::StatusOr<std::unique_ptr<SystemdSession>> Connect() const = 0;
};

// As SystemdSession::GoesDown; false where there is nobody to ask.
bool GoesDown(const Systemd& systemd);

// What an error of the bus means to a caller who wanted `doing` ("start media.service").
absl::Status FromBusError(absl::string_view name, absl::string_view message,
                          absl::string_view doing);

}  // namespace slipway::agent
