// Questions that deciding and applying both ask.
#pragma once

#include "agent/core/state.h"

namespace slipway::agent {

bool IsClosed(const State& state, const RolloutId& rollout);

// Whether both are attempts of the same step on the same host.
bool SameTask(const CommandId& a, const CommandId& b);

// The latest attempt known of the task behind `id`; nullptr: none.
const Entry* LatestAttempt(const State& state, const CommandId& id);

// An attempt of the task behind `id` that came before it and succeeded; nullptr: none.
const Entry* EarlierSuccess(const State& state, const CommandId& id);

}  // namespace slipway::agent
