// Watches the host on its own and says how it does: every 10 s, or at once when something changed.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "agent/health/observe.h"
#include "agent/services/service_manager.h"
#include "common/clock.h"
#include "common/model/observed.h"
#include "common/mutex.h"

namespace slipway::agent {

class HostReleases;

struct ServiceHealth {
  ServiceId id;
  ServiceStatus status;
  bool healthy = false;
  std::string detail;  // why not: "GET http://… answered 503, and 2xx was expected"
};

struct DiskHealth {
  std::string path;
  std::uint64_t free_bytes = 0;
  std::uint64_t total_bytes = 0;
};

struct HostHealth {
  Observed apps;
  std::vector<ServiceHealth> services;
  std::vector<DiskHealth> disks;  // of / and of each app, each file system once
  double load1 = 0;
  std::uint64_t memory_bytes = 0;
  std::uint64_t memory_available_bytes = 0;
  std::uint32_t cpu_permille = 0;  // busy share since the look before; 0 at the first
  absl::Time clock;
};

// Thread-safe. All that is passed in outlives this.
class HealthMonitor {
 public:
  HealthMonitor(const Clock& clock, const HostReleases& releases, const ServiceManager& services)
      : clock_(clock), releases_(releases), services_(services) {}
  // As Stop.
  ~HealthMonitor();

  // Looks now, with each running service's probes.
  HostHealth Look() ABSL_LOCKS_EXCLUDED(mu_);

  // What an answer carries: observed now; a process that was not probed yet is probed.
  Observed Observe() ABSL_LOCKS_EXCLUDED(mu_);

  // Looks every 2 s from a thread of its own and calls `report` as described above.
  void Start(std::function<void(const HostHealth&)> report);
  // Returns when the thread is gone. May repeat.
  void Stop() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Verdict {
    pid_t pid = 0;
    ProbedService probed;
    std::string detail;
  };

  Verdict ProbeNow(const ServiceId& id, const ServiceStatus& status) ABSL_LOCKS_EXCLUDED(mu_);
  // The last verdict on this very process, or a new one.
  ProbedService Probed(const ServiceId& id, const ServiceStatus& status) ABSL_LOCKS_EXCLUDED(mu_);
  std::uint32_t CpuPermille() ABSL_LOCKS_EXCLUDED(mu_);
  void Run(const std::function<void(const HostHealth&)>& report) ABSL_LOCKS_EXCLUDED(mu_);

  const Clock& clock_;
  const HostReleases& releases_;
  const ServiceManager& services_;
  std::thread thread_;
  Mutex mu_;
  CondVar wake_;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::map<ServiceId, Verdict> verdicts_ ABSL_GUARDED_BY(mu_);
  std::uint64_t cpu_busy_ ABSL_GUARDED_BY(mu_) = 0, cpu_all_ ABSL_GUARDED_BY(mu_) = 0;
};

// True when an operator would want to know at once: another version, state, pid or verdict.
bool Differs(const HostHealth& a, const HostHealth& b);

}  // namespace slipway::agent
