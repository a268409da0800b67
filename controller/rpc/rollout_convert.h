// A rollout as operators see it, made from the engine's state. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "controller/engine/engine.h"
#include "controller/runner/event_feed.h"
#include "controller/runner/rollout_view.h"

namespace slipway::v1 {
class Change;
class Rollout;
}  // namespace slipway::v1

namespace slipway::controller {

// What stands in engine::Planned::description.
struct RolloutDescription {
  std::string plan, environment;
  std::string release, version, digest;
  std::string plan_digest, plan_path, plan_bytes;
  std::string created_by, reason, ticket;
  std::vector<std::string> previous;  // versions found before, most frequent first
  absl::Duration worst_case = absl::ZeroDuration();
  bool operator==(const RolloutDescription&) const = default;
};

std::string EncodeDescription(const RolloutDescription& description);
// Bytes that are no description read as an empty one: a rollout is shown without its names rather
// than not at all.
RolloutDescription DecodeDescription(const std::string& bytes);

// Labels (or short digests) of what each host ran before, most frequent first.
std::vector<std::string> PreviousVersions(const engine::State& state);

// All of it; `began` as in RolloutSummary. O(hosts + tasks).
v1::Rollout ToProto(const RolloutView& view, absl::Time began);
// For lists: without phases and hosts.
v1::Rollout ToProto(const RolloutSummary& summary);
// One line of the history; `view` is at least as new as the event.
v1::Change ToProto(const RolloutView& view, const SequencedEvent& event);

}  // namespace slipway::controller
