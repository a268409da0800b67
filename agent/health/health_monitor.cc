#include "agent/health/health_monitor.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <fstream>
#include <set>

#include "agent/health/host_room.h"
#include "agent/health/observe.h"
#include "agent/health/probe.h"
#include "agent/releases/host_releases.h"

namespace slipway::agent {
namespace {

constexpr absl::Duration kLookEvery = absl::Seconds(2);
constexpr absl::Duration kReportEvery = absl::Seconds(10);
constexpr absl::Duration kProbeTimeout = absl::Seconds(2);

std::vector<DiskHealth> Disks(const std::vector<std::string>& apps) {
  std::vector<std::string> paths = {"/"};
  paths.insert(paths.end(), apps.begin(), apps.end());
  std::vector<DiskHealth> disks;
  std::set<dev_t> seen;
  for (const std::string& path : paths) {
    const DiskRoom room = RoomAt(path);
    struct stat info{};
    if (stat(room.path.c_str(), &info) != 0 || !seen.insert(info.st_dev).second) continue;
    disks.push_back({path, room.free_bytes, room.total_bytes});
  }
  return disks;
}

}  // namespace

HealthMonitor::~HealthMonitor() {
  Stop();
}

HealthMonitor::Verdict HealthMonitor::ProbeNow(const ServiceId& id, const ServiceStatus& status) {
  Verdict verdict{.pid = status.pid, .probed = {}, .detail = status.ended};
  if (status.state == ServiceStatus::State::running) {
    const absl::Status named = ProbeNamed(status.http, status.http_names, kProbeTimeout);
    verdict.probed.named = named.ok();
    const absl::Status probed =
        named.ok() ? ProbeService(status.http, status.tcp, kProbeTimeout) : named;
    verdict.probed.healthy = probed.ok();
    verdict.detail = std::string(probed.message());
  }
  MutexLock lock(mu_);
  verdicts_[id] = verdict;
  return verdict;
}

ProbedService HealthMonitor::Probed(const ServiceId& id, const ServiceStatus& status) {
  {
    MutexLock lock(mu_);
    const auto it = verdicts_.find(id);
    if (it != verdicts_.end() && it->second.pid == status.pid) return it->second.probed;
  }
  return ProbeNow(id, status).probed;
}

HostHealth HealthMonitor::Look() {
  HostHealth health;
  for (const ServiceId& id : services_.Services()) {
    ServiceStatus status = services_.Inspect(id);
    Verdict verdict = ProbeNow(id, status);
    health.services.push_back(
        {id, std::move(status), verdict.probed.healthy, std::move(verdict.detail)});
  }
  health.apps = Observe();
  health.disks = Disks(releases_.Apps());
  getloadavg(&health.load1, 1);
  health.memory_bytes = MemoryTotal();
  health.memory_available_bytes = MemoryAvailable();
  health.cpu_permille = CpuPermille();
  health.clock = clock_.Now();
  return health;
}

Observed HealthMonitor::Observe() {
  return agent::Observe(
      releases_, services_,
      [this](const ServiceId& id, const ServiceStatus& status) { return Probed(id, status); });
}

// "cpu  user nice system idle iowait …": ticks of all processors since boot.
std::uint32_t HealthMonitor::CpuPermille() {
  std::ifstream file("/proc/stat");
  std::string name;
  file >> name;
  std::uint64_t all = 0, idle = 0, ticks = 0;
  for (int field = 0; field < 8 && file >> ticks; ++field) {
    all += ticks;
    if (field == 3 || field == 4) idle += ticks;
  }
  MutexLock lock(mu_);
  const std::uint64_t busy = all - idle;
  const std::uint64_t span = all - cpu_all_;
  const bool first = cpu_all_ == 0;
  const auto permille =
      first || span == 0 ? 0 : static_cast<std::uint32_t>((busy - cpu_busy_) * 1000 / span);
  cpu_busy_ = busy;
  cpu_all_ = all;
  return permille;
}

void HealthMonitor::Start(std::function<void(const HostHealth&)> report) {
  thread_ = std::thread([this, report = std::move(report)] { Run(report); });
}

void HealthMonitor::Stop() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
  }
  wake_.NotifyAll();
  if (thread_.joinable()) thread_.join();
}

void HealthMonitor::Run(const std::function<void(const HostHealth&)>& report) {
  HostHealth last;
  absl::Duration reported = -absl::InfiniteDuration();
  while (true) {
    HostHealth now = Look();
    const absl::Duration time = clock_.Monotonic();
    if (time - reported >= kReportEvery || Differs(last, now)) {
      report(now);
      reported = time;
    }
    last = std::move(now);
    MutexLock lock(mu_);
    if (!stopping_) wake_.WaitFor(mu_, kLookEvery);
    if (stopping_) return;
  }
}

bool Differs(const HostHealth& a, const HostHealth& b) {
  if (a.apps != b.apps || a.services.size() != b.services.size()) return true;
  for (std::size_t i = 0; i < a.services.size(); ++i) {
    const ServiceHealth& x = a.services[i];
    const ServiceHealth& y = b.services[i];
    if (x.id != y.id || x.healthy != y.healthy || x.status.state != y.status.state ||
        x.status.pid != y.status.pid) {
      return true;
    }
  }
  return false;
}

}  // namespace slipway::agent
