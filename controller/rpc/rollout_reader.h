// Finds and reads rollouts for the services. Thread-safe.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "controller/fleet/fleet_view.h"
#include "controller/runner/runner_pool.h"

namespace slipway::v1 {
class Rollout;
}

namespace slipway::controller {

class RolloutReader {
 public:
  // Both outlive the reader.
  RolloutReader(RunnerPool& pool, const FleetView& fleet) : pool_(pool), fleet_(fleet) {}

  // By any unique prefix, with or without "ro-"; "" is the newest. Errors: NOT_FOUND;
  // FAILED_PRECONDITION (several match; they are listed).
  absl::StatusOr<RolloutId> Resolve(std::string_view prefix) const;

  // Everything that is known of it now.
  absl::StatusOr<v1::Rollout> Read(const RolloutId& rollout) const;
  v1::Rollout Read(const RolloutView& view, absl::Time began) const;
  // One line of a list.
  v1::Rollout ReadBrief(const RolloutSummary& summary) const;

  // When its first event was.
  absl::StatusOr<absl::Time> BeganAt(const RolloutId& rollout) const;

 private:
  RunnerPool& pool_;
  const FleetView& fleet_;
};

}  // namespace slipway::controller
