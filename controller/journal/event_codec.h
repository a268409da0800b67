// engine::Event as the bytes of a journal record. The format: proto/slipway/journal/v1 and
// docs/formats/journal.md.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "controller/engine/event.h"

namespace slipway::controller {

// Times are kept to the microsecond. Whoever makes an event gives it whole microseconds, or the
// replayed state differs from the live one.
inline absl::Time WholeMicroseconds(absl::Time time) {
  return time == absl::InfiniteFuture() || time == absl::InfinitePast()
             ? time
             : absl::FromUnixMicros(absl::ToUnixMicros(time));
}

std::string EncodeEvent(const engine::Event& event);

// Errors: UNIMPLEMENTED when a newer slipway-controller wrote the record (its format, a kind of
// event or a value is unknown here): never half-read. DATA_LOSS when the bytes are no record at
// all. The caller adds which rollout and sequence.
absl::StatusOr<engine::Event> DecodeEvent(std::string_view bytes);

}  // namespace slipway::controller
