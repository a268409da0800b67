// Who may answer an approval gate, and when it has enough answers. Private to the engine.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "controller/engine/engine.h"

namespace slipway::engine {

// How long a yes that was given ahead of its gate counts.
inline constexpr Duration kApprovalLasts = absl::Hours(72);
// Remarks on one rollout: all of them are kept in memory and shown.
inline constexpr std::size_t kNotesMax = 200;

// PERMISSION_DENIED: this person may not give this answer; FAILED_PRECONDITION: gave it already.
absl::Status MayAnswer(const State& state, std::uint16_t batch, const std::string& who,
                       bool approves, Time now);

bool IsApproved(const State& state, std::uint16_t batch, Time now);

// The gate that was reached is passed by a person's word only: it is no plain wait.
bool AsksPeople(const State& state);

// The batch behind the phase's first approval gate, which lies ahead or is waited at and has not
// enough approvals yet; others of the phase are answered when they are waited at, so that a yes
// that comes twice never counts for what comes next. Else FAILED_PRECONDITION.
absl::StatusOr<std::uint16_t> ApprovalOfPhase(const State& state, const std::string& phase,
                                              Time now);

}  // namespace slipway::engine
