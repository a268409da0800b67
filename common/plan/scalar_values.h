// Durations, sizes and shares as people write them. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace slipway::plan {

// "90s", "1h30m", "14d": whole numbers with the units d, h, m, s, ms in falling order, at most ten
// years. nullopt: anything else, a bare number included.
std::optional<absl::Duration> ParseDuration(std::string_view text);
// The shortest such text: "1h30m". Rounded to milliseconds.
std::string DurationText(absl::Duration duration);

// "5GiB", "512MiB", "100kB", "42B". nullopt: anything else, a bare number included.
std::optional<std::uint64_t> ParseSize(std::string_view text);
// In the largest binary unit that divides it: "5GiB".
std::string SizeText(std::uint64_t bytes);

// "3" or "25%".
struct ShareValue {
  std::uint32_t count = 0;
  std::uint32_t percent = 0;
};
// nullopt: neither a whole number nor a share from 1% to 100%.
std::optional<ShareValue> ParseShare(std::string_view text);

// Decimal digits and nothing else. nullopt also when larger than `max`.
std::optional<std::uint64_t> ParseWhole(std::string_view text, std::uint64_t max);

}  // namespace slipway::plan
