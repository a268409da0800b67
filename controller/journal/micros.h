// Times as they are stored: microseconds since 1970 UTC; the greatest and the least int64 stand for
// the infinite future and past.
#pragma once

#include <cstdint>
#include <limits>

#include "absl/time/time.h"

namespace slipway::controller {

constexpr std::int64_t kFutureMicros = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kPastMicros = std::numeric_limits<std::int64_t>::min();

inline std::int64_t ToMicros(absl::Time time) {
  if (time == absl::InfiniteFuture()) return kFutureMicros;
  if (time == absl::InfinitePast()) return kPastMicros;
  return absl::ToUnixMicros(time);
}

inline absl::Time TimeFromMicros(std::int64_t micros) {
  if (micros == kFutureMicros) return absl::InfiniteFuture();
  if (micros == kPastMicros) return absl::InfinitePast();
  return absl::FromUnixMicros(micros);
}

inline std::int64_t ToMicros(absl::Duration duration) {
  if (duration == absl::InfiniteDuration()) return kFutureMicros;
  if (duration == -absl::InfiniteDuration()) return kPastMicros;
  return absl::ToInt64Microseconds(duration);
}

inline absl::Duration DurationFromMicros(std::int64_t micros) {
  if (micros == kFutureMicros) return absl::InfiniteDuration();
  if (micros == kPastMicros) return -absl::InfiniteDuration();
  return absl::Microseconds(micros);
}

}  // namespace slipway::controller
