// What a rollout would do, before anything is done. Pure.
#pragma once

#include "absl/time/time.h"
#include "controller/engine/types.h"

namespace slipway::v1 {
class Plan;
class Release;
class RolloutPreview;
}  // namespace slipway::v1

namespace slipway::controller {

struct CompiledPlan;

// The batches in order, and for each of them and each of its steps what would be undone if that
// step failed on every host that runs it, all earlier ones done. Times are worst cases: every
// attempt takes its whole timeout and every retry is needed; hosts of a batch work side by side.
// Time spent on waiting for a host to come back is not in them.
//
// `forward` is engine::Forward of `compiled.plan`; `compiled` has no errors. In a schedule with
// more than kFailuresMax steps in batches, if_failed has the first and last batch of each part.
v1::RolloutPreview PreviewOf(const v1::Plan& plan, const v1::Release& release,
                             const CompiledPlan& compiled, const engine::Schedule& forward);

inline constexpr std::size_t kFailuresMax = 1000;

// Of one host's way through the batch.
absl::Duration WorstCase(const engine::Schedule& schedule, const engine::Batch& batch);
// Of all batches one after the other.
absl::Duration WorstCase(const engine::Schedule& schedule);

}  // namespace slipway::controller
