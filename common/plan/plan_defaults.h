// What a plan means where it says nothing (docs/plan.md has the same table).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "absl/time/time.h"

namespace slipway::plan {

inline constexpr std::uint32_t kFormatVersion1 = 1;
inline constexpr absl::Duration kTimeout = absl::Minutes(10);
inline constexpr absl::Duration kDeadline = absl::Minutes(5);
inline constexpr absl::Duration kBake = absl::Seconds(10);
inline constexpr std::uint32_t kCanaryHosts = 1;
inline constexpr absl::Duration kCanaryBake = absl::Seconds(30);
inline constexpr std::uint32_t kBatchPercent = 25;
inline constexpr std::uint32_t kMaxFailed = 0;
inline constexpr std::uint32_t kKeepReleases = 5;
inline constexpr absl::Duration kApprovalWithin = absl::Hours(72);
inline constexpr absl::Duration kRollbackWithin = absl::Minutes(30);

// Variables that every plan has; `label.NAME` and the host's label names come with the host.
inline constexpr std::array<std::string_view, 11> kBuiltInVariables = {
    "host",    "address",         "port",         "root",           "app",        "shared",
    "current", "release.version", "release.name", "release.digest", "environment"};

}  // namespace slipway::plan
