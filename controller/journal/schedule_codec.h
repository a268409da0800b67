// Schedules, policies and observations between the engine and the journal's format. Private to
// event_codec.cc. Reading keeps its complaints in the reader and otherwise goes on.
#pragma once

#include "controller/journal/codec_values.h"

namespace slipway::controller::codec {

void Write(const engine::Schedule& schedule, pb::Schedule& out);
void Write(const engine::RollbackPolicy& policy, pb::RollbackPolicy& out);
void Write(const Observed& observed, pb::Observed& out);

engine::Schedule ReadSchedule(ValueReader& reader, const pb::Schedule& in);
engine::RollbackPolicy ReadPolicy(ValueReader& reader, const pb::RollbackPolicy& in);
Observed ReadObserved(const pb::Observed& in);

}  // namespace slipway::controller::codec
