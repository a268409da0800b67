// A host in memory whose services run, die and misbehave on a test's clock.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/services/service_manager.h"
#include "common/clock.h"
#include "common/mutex.h"

namespace slipway::agent {

// Thread-safe.
class FakeServiceManager final : public ServiceManager {
 public:
  // How a service conducts itself when it is started next.
  struct Conduct {
    std::string first_words = "listening\n";  // in its log, at once
    std::string last_words = {};              // in its log, when it dies
    absl::Duration dies_after = absl::InfiniteDuration();
    bool ignores_term = false;
    bool leaves_process = false;  // something of it survives a stop
    std::string refuses = {};     // why it cannot be executed
  };

  explicit FakeServiceManager(const Clock& clock) : clock_(clock) {}

  void Conducts(const ServiceId& id, Conduct conduct);
  // Somebody else listens there.
  void Occupy(std::uint16_t port, std::string owner);
  void SetConnections(const ServiceId& id, int connections);
  void Log(const ServiceId& id, std::string_view text);
  void Die(const ServiceId& id);
  // All that run end with the machine, which boots again.
  void Reboot();
  int StartsOf(const ServiceId& id) const;

  absl::Status Start(const ServiceSpec& spec) override;
  absl::StatusOr<StopReport> Stop(const ServiceId& id, const StopOrder& order) override;
  ServiceStatus Inspect(const ServiceId& id) const override;
  std::vector<ServiceId> Services() const override;
  LogPiece ReadLog(const ServiceId& id, const LogPosition& from,
                   std::uint64_t bytes_max) const override;
  std::string LastLines(const ServiceId& id, const LogPosition& from, int lines) const override;

 private:
  struct Service {
    Conduct conduct = {};
    std::optional<ServiceSpec> spec;
    ServiceStatus status;
    absl::Duration dies_at = absl::InfiniteDuration();
    std::string log;
    int connections = 0;
    int starts = 0;
  };

  // Brings `service` to the present.
  void Settle(Service& service) const;
  void End(Service& service, ServiceStatus::State state, std::string how) const;
  absl::Status FreePorts(const std::vector<std::uint16_t>& ports) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const Clock& clock_;
  mutable Mutex mu_;
  mutable std::map<ServiceId, Service> services_ ABSL_GUARDED_BY(mu_);
  std::map<std::uint16_t, std::string> occupied_ ABSL_GUARDED_BY(mu_);
  pid_t next_pid_ ABSL_GUARDED_BY(mu_) = 4000;
};

}  // namespace slipway::agent
