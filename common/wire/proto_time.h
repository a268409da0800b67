// absl's time values <-> protobuf's. For .cc files that see generated code.
#pragma once

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include "absl/time/time.h"

namespace slipway {

// Infinite values, which protobuf does not have, become the unset message.
inline void SetProto(absl::Duration value, google::protobuf::Duration* out) {
  if (value == absl::InfiniteDuration() || value == -absl::InfiniteDuration()) return;
  absl::Duration rest;
  out->set_seconds(absl::IDivDuration(value, absl::Seconds(1), &rest));
  out->set_nanos(static_cast<std::int32_t>(absl::ToInt64Nanoseconds(rest)));
}

inline void SetProto(absl::Time value, google::protobuf::Timestamp* out) {
  if (value == absl::InfiniteFuture() || value == absl::InfinitePast()) return;
  const auto micros = absl::ToUnixMicros(value);
  const auto seconds = absl::ToUnixSeconds(value);
  out->set_seconds(seconds);
  out->set_nanos(static_cast<std::int32_t>((micros - seconds * 1'000'000) * 1'000));
}

inline absl::Duration FromProto(const google::protobuf::Duration& value) {
  return absl::Seconds(value.seconds()) + absl::Nanoseconds(value.nanos());
}

inline absl::Time FromProto(const google::protobuf::Timestamp& value) {
  return absl::FromUnixSeconds(value.seconds()) + absl::Nanoseconds(value.nanos());
}

}  // namespace slipway
