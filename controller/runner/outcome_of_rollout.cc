#include "controller/runner/outcome_of_rollout.h"

namespace slipway::controller {
namespace {

// Words for people exist where somebody saw the digest on the host.
std::string LabelOf(const engine::State& state, engine::HostIx host, const std::string& app,
                    const std::string& digest) {
  for (const auto* observed : {&state.seen, &state.before}) {
    const auto at = observed->find(host);
    if (at == observed->end()) continue;
    const auto version = at->second.find(app);
    if (version != at->second.end() && version->second.on_disk == digest) {
      return version->second.label;
    }
  }
  return "";
}

std::string FoundBefore(const engine::State& state, engine::HostIx host, const std::string& app) {
  const auto at = state.before.find(host);
  if (at == state.before.end()) return "";
  const auto version = at->second.find(app);
  return version == at->second.end() ? "" : version->second.on_disk;
}

}  // namespace

std::vector<Wanted> WantedAfter(const RolloutId& rollout, const engine::State& state) {
  std::vector<Wanted> wanted;
  if (!state.finished) return wanted;
  const bool forward = state.finished->result == engine::Result::succeeded;
  if (!forward && state.finished->result != engine::Result::rolled_back) return wanted;
  for (engine::HostIx host = 0; host < state.hosts.size(); ++host) {
    if (!forward && !state.touched[host]) continue;
    for (const auto& [app, brought] : state.hosts[host].wanted) {
      const std::string digest = forward ? brought : FoundBefore(state, host, app);
      wanted.push_back(
          {state.hosts[host].id, app, digest, LabelOf(state, host, app, digest), rollout});
    }
  }
  return wanted;
}

}  // namespace slipway::controller
