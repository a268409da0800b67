// Where each host stands at the end, by what was observed on it.
#include "controller/engine/engine.h"

namespace slipway::engine {
namespace {

Version VersionOf(const Observed& observed, const std::string& app) {
  const auto it = observed.find(app);
  return it == observed.end() ? Version{} : it->second;
}

Standing StandingOfApp(const Version& before, const Version& now, const std::string& wanted,
                       bool chain_done) {
  if (now.on_disk == wanted) {
    if (now.running == wanted) return Standing::new_version;
    // Files that nothing runs: the host's own checks have passed on them.
    if (now.running.empty() && chain_done) return Standing::new_version;
  }
  if (now.on_disk == before.on_disk && now.running == before.running) return Standing::old_version;
  return now.running.empty() ? Standing::stopped : Standing::unproven;
}

}  // namespace

Standing StandingOf(const State& state, HostIx host) {
  if (!state.touched[host]) return Standing::untouched;
  const auto out = state.out.find(host);
  const bool is_out = out != state.out.end();
  if (is_out && out->second.outcome == Outcome::unreachable) return Standing::unreachable;
  if (is_out && out->second.outcome == Outcome::unknown) return Standing::unproven;
  if (state.unsure.contains(host)) return Standing::unproven;

  // A host without an application of its own stands where the rollout's course left it.
  const bool chain_done = !state.turned_back && !is_out;
  const auto& wanted = state.hosts[host].wanted;
  if (wanted.empty()) {
    if (is_out) return Standing::unproven;
    return state.turned_back ? Standing::old_version : Standing::new_version;
  }
  const auto seen = state.seen.find(host);
  if (seen == state.seen.end()) return Standing::unproven;
  const auto known_before = state.before.find(host);
  const Observed before = known_before == state.before.end() ? Observed{} : known_before->second;

  std::optional<Standing> all;
  for (const auto& [app, digest] : wanted) {
    const Standing one =
        StandingOfApp(VersionOf(before, app), VersionOf(seen->second, app), digest, chain_done);
    if (one == Standing::stopped) return Standing::stopped;
    if (all && *all != one) return Standing::unproven;
    all = one;
  }
  return *all;
}

std::string_view Word(Standing standing) {
  switch (standing) {
    case Standing::new_version:
      return "new";
    case Standing::old_version:
      return "old";
    case Standing::stopped:
      return "stopped";
    case Standing::unreachable:
      return "unreachable";
    case Standing::unproven:
      return "unproven";
    case Standing::untouched:
      return "untouched";
  }
  return "unproven";
}

std::string_view Word(Hold::Why why) {
  switch (why) {
    case Hold::Why::none:
      return "";
    case Hold::Why::paused:
      return "paused";
    case Hold::Why::gate:
      return "gate";
    case Hold::Why::brake:
      return "brake";
    case Hold::Why::needs_person:
      return "needs_person";
  }
  return "";
}

}  // namespace slipway::engine
