#include "agent/health/observe.h"

#include <set>

#include "agent/releases/host_releases.h"

namespace slipway::agent {
namespace {

using State = ServiceStatus::State;

constexpr char kUnproven[] = "unproven";

}  // namespace

std::string RunningDigest(const HostReleases& releases, const std::string& app,
                          const ServiceStatus& status) {
  for (const std::string* trace : {&status.executable, &status.working_dir, &status.release_env}) {
    if (trace->empty()) continue;
    const std::string digest = releases.DigestAt(app, *trace);
    if (!digest.empty()) return digest;
  }
  return "";
}

Observed Observe(const HostReleases& releases, const ServiceManager& services,
                 const std::function<bool(const ServiceId&, const ServiceStatus&)>& well) {
  Observed observed = releases.OnDisk();
  std::map<std::string, std::set<std::string>> running;
  std::set<std::string> ailing, serving;
  for (const ServiceId& id : services.Services()) {
    const auto app = observed.find(id.app);
    if (app == observed.end()) continue;
    const ServiceStatus status = services.Inspect(id);
    serving.insert(id.app);
    if (status.state == State::running) {
      running[id.app].insert(RunningDigest(releases, id.app, status));
    }
    const bool lives = status.state == State::running && well(id, status);
    if (status.state != State::stopped && !lives) ailing.insert(id.app);
  }
  for (auto& [app, version] : observed) {
    const std::set<std::string>& digests = running[app];
    if (digests.size() == 1) version.running = *digests.begin();
    if (digests.size() > 1 || digests.count("") > 0) version.running = kUnproven;
    const bool known = !version.on_disk.empty() && version.on_disk != kUnproven;
    const bool up = serving.count(app) == 0 || !digests.empty();
    version.healthy = known && up && ailing.count(app) == 0;
  }
  return observed;
}

}  // namespace slipway::agent
