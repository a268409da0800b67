#include "agent/health/observe.h"

#include <set>

#include "agent/releases/host_releases.h"

namespace slipway::agent {
namespace {

using State = ServiceStatus::State;

constexpr char kUnproven[] = "unproven";

}  // namespace

std::string RunningDigest(const HostReleases& releases, const std::string& app,
                          const ServiceStatus& status, bool named) {
  if (!status.http_names.empty()) return named ? releases.DigestAt(app, status.release_dir) : "";
  for (const std::string* trace : {&status.executable, &status.working_dir, &status.release_env}) {
    if (trace->empty()) continue;
    const std::string digest = releases.DigestAt(app, *trace);
    if (!digest.empty()) return digest;
  }
  return "";
}

Observed Observe(
    const HostReleases& releases, const ServiceManager& services,
    const std::function<ProbedService(const ServiceId&, const ServiceStatus&)>& probed) {
  Observed observed = releases.OnDisk();
  std::map<std::string, std::set<std::string>> running;
  std::set<std::string> ailing, serving;
  for (const ServiceId& id : services.Services()) {
    const auto app = observed.find(id.app);
    if (app == observed.end()) continue;
    const ServiceStatus status = services.Inspect(id);
    serving.insert(id.app);
    if (status.state == State::stopped) continue;
    ProbedService answer;
    if (status.state == State::running) {
      answer = probed(id, status);
      running[id.app].insert(RunningDigest(releases, id.app, status, answer.named));
    }
    if (!answer.healthy) ailing.insert(id.app);
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
