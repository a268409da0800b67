// Running services on this host: the port behind which drivers stand.
#pragma once

#include <sys/types.h>

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/services/service_log.h"

namespace slipway::agent {

// Two applications may have services of one name.
struct ServiceId {
  std::string app;   // "/srv/media"
  std::string name;  // "media"
  auto operator<=>(const ServiceId&) const = default;
};

// "media@%2fsrv%2fmedia": its folder below that of a driver.
std::string FolderNameOf(const ServiceId& id);

// How a service is to run. Nothing in it is a template any more.
struct ServiceSpec {
  ServiceId id = {};
  std::string release_dir = {};  // APP/releases/…: working directory
  std::string unit = {};         // "media.service": systemd runs it; "" = the agent, as said here
  std::vector<std::string> argv = {};  // a relative argv[0] is below `release_dir`
  std::vector<std::string> env = {};   // "NAME=value"; PATH, HOME and SLIPWAY_* come by themselves
  std::string user = {};               // "" = that of the agent
  std::vector<std::uint16_t> ports = {};  // it listens on; what a stop proves to be free
  std::string log_file = {};              // that it writes itself; "" = its standard output
  std::string http = {};                  // URL that answers 2xx while it is well; "" = none
  std::string tcp = {};                   // "host:port" that accepts while it is well; "" = none
  absl::Duration up_within = absl::Minutes(5);  // a unit, by its own notion of being up
  // What the answer of `http` must name, for a program whose process does not tell from which
  // release it is (identity: http); "" = its process tells.
  std::string http_names = {};
  bool operator==(const ServiceSpec&) const = default;
};

// One rung: a signal to send, or a time to wait for its effect.
struct Rung {
  int signal = 0;
  absl::Duration wait = absl::ZeroDuration();
  bool operator==(const Rung&) const = default;
};

// {"TERM", "20s", "KILL"}; empty: just that. INVALID_ARGUMENT names the rung that has no meaning.
absl::StatusOr<std::vector<Rung>> ParseLadder(const std::vector<std::string>& rungs);

struct StopOrder {
  absl::Duration drain = absl::ZeroDuration();  // wait at most so long for connections to end
  std::vector<Rung> ladder = {};                // a KILL is for all processes of the service
  std::vector<std::uint16_t> ports = {};        // besides those that it was started with
  std::string unit = {};  // that is meant, should it have been started by others
  absl::Duration deadline = absl::InfiniteDuration();  // on the clock's Monotonic()
};

struct StopReport {
  bool was_running = false;
  int connections_left = 0;  // when the drain was over
  absl::Duration drained_for = absl::ZeroDuration();
  int signal = 0;  // the last one that was sent; 0 = it was gone already
  absl::Duration took = absl::ZeroDuration();
};

struct ServiceStatus {
  enum class State {
    stopped,  // never started here, or stopped by us
    running,
    died,  // ended without being told to
  };
  State state = State::stopped;
  pid_t pid = 0;
  absl::Time since = absl::InfinitePast();  // of the state
  int restarts = 0;                         // by its driver, since it was started by somebody
  std::string coming_up;  // why it is not up by its driver's notion; "" = it is, or has none
  std::uint64_t rss_bytes = 0;
  std::string executable;     // of the running process: /proc/PID/exe
  std::string working_dir;    // /proc/PID/cwd
  std::string release_env;    // SLIPWAY_RELEASE in its environment
  std::string release_dir;    // that it was started from
  std::string ended;          // "exited with status 3": how it died
  bool with_machine = false;  // died: it ran when the machine went down, and not since its boot
  std::string http;           // of the spec that it was started with
  std::string tcp;            // the same
  std::string http_names;     // the same
  LogPosition log_start;      // where its log stood when it was started
};

// Starts, stops and looks. Thread-safe. What it knows survives a restart of the agent.
class ServiceManager {
 public:
  virtual ~ServiceManager() = default;

  // Starts the service and returns once its program executes; whether it is any good is another
  // question. Running already from the same release: nothing is done, also when this is called
  // twice at once or before and after a restart of the agent: there is never a second one.
  //
  // Errors: FAILED_PRECONDITION, it runs from another release (stop it first), its port belongs to
  // somebody else, or its unit is masked or cannot be loaded; NOT_FOUND, there is no such unit;
  // PERMISSION_DENIED, systemd refuses us; UNAVAILABLE, it does not answer; ABORTED, somebody else
  // ordered otherwise meanwhile; DEADLINE_EXCEEDED, the unit is still not up; INTERNAL, it could
  // not be executed, with the reason.
  virtual absl::Status Start(const ServiceSpec& spec) = 0;

  // Drains, climbs down the ladder and proves the end: no process of the service, no listener on
  // its ports, no process left on its binary. Not running: only the proof.
  //
  // Errors: DEADLINE_EXCEEDED, it lives after the last rung or at the order's deadline;
  // FAILED_PRECONDITION, it is gone but something else listens on its port (the message names it).
  virtual absl::StatusOr<StopReport> Stop(const ServiceId& id, const StopOrder& order) = 0;

  virtual ServiceStatus Inspect(const ServiceId& id) const = 0;

  // All that were ever started here, stopped ones too.
  virtual std::vector<ServiceId> Services() const = 0;

  // Its log from `from` on, as in service_log.h.
  virtual LogPiece ReadLog(const ServiceId& id, const LogPosition& from,
                           std::uint64_t bytes_max) const = 0;
  virtual std::string LastLines(const ServiceId& id, const LogPosition& from, int lines) const = 0;
};

}  // namespace slipway::agent
