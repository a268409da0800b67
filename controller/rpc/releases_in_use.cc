#include "controller/rpc/releases_in_use.h"

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "common/wire/session_codec.h"
#include "controller/rpc/rollout_convert.h"
#include "slipway/v1/agent_session.pb.h"

namespace slipway::controller {
namespace {

void AddObserved(const Observed& observed, const std::string& why, ReleasesInUse& in_use) {
  for (const auto& [app, version] : observed) {
    in_use.emplace(version.running, why);
    in_use.emplace(version.on_disk, why);
  }
}

}  // namespace

absl::StatusOr<ReleasesInUse> FindReleasesInUse(const RunnerPool& pool, const FleetView& view,
                                                Registry& registry) {
  ReleasesInUse in_use;
  for (const auto& rollout : pool.Open()) {
    if (rollout == nullptr) {
      return absl::UnavailableError("a rollout is still being taken up: try again");
    }
    const engine::State& state = rollout->state;
    in_use.emplace(DecodeDescription(state.description).digest,
                   absl::StrCat(rollout->id.text, " rolls it out"));
    for (const auto& [host, observed] : state.before) {
      AddObserved(observed, absl::StrCat(rollout->id.text, " may go back to it"), in_use);
    }
  }
  for (const auto& [host, live] : view.All()) {
    if (!live.health) continue;
    AddObserved(ObservedOf(*live.health), absl::StrCat("is on ", host.text), in_use);
  }
  SLIPWAY_ASSIGN_OR_RETURN(const std::vector<Wanted> wanted, registry.ListWanted());
  for (const Wanted& entry : wanted) {
    in_use.emplace(entry.digest, absl::StrCat("is wanted on ", entry.host.text));
  }
  return in_use;
}

}  // namespace slipway::controller
