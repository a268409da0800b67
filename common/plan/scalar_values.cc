#include "common/plan/scalar_values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "absl/strings/str_cat.h"

namespace slipway::plan {
namespace {

struct TimeUnit {
  const char* name;
  std::int64_t milliseconds;
};
constexpr std::array<TimeUnit, 5> kTimeUnits = {
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
constexpr std::int64_t kDurationMax = 3'650 * 86'400'000LL;

struct SizeUnit {
  const char* name;
  std::uint64_t bytes;
};
constexpr std::array<SizeUnit, 9> kSizeUnits = {{{"TiB", 1ULL << 40},
                                                 {"GiB", 1ULL << 30},
                                                 {"MiB", 1ULL << 20},
                                                 {"KiB", 1ULL << 10},
                                                 {"TB", 1'000'000'000'000},
                                                 {"GB", 1'000'000'000},
                                                 {"MB", 1'000'000},
                                                 {"kB", 1'000},
                                                 {"B", 1}}};
constexpr std::size_t kBinaryUnits = 4;

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

// Cuts leading characters for which `wanted` holds off `text`.
template <typename Wanted>
std::string_view Cut(std::string_view& text, Wanted wanted) {
  const auto end = std::find_if_not(text.begin(), text.end(), wanted);
  const std::string_view head = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(head.size());
  return head;
}

}  // namespace

std::optional<std::uint64_t> ParseWhole(std::string_view text, std::uint64_t max) {
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc() || stop != end || !IsDigit(text[0])) return std::nullopt;
  if (text.size() > 1 && text[0] == '0') return std::nullopt;  // octal to some, decimal to others
  if (value > max) return std::nullopt;
  return value;
}

std::optional<absl::Duration> ParseDuration(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::int64_t total = 0;
  auto unit = kTimeUnits.begin();
  while (!text.empty()) {
    const auto number = ParseWhole(Cut(text, IsDigit), kDurationMax);
    const std::string_view name = Cut(text, [](char c) { return !IsDigit(c); });
    unit = std::find_if(unit, kTimeUnits.end(), [&](const TimeUnit& u) { return u.name == name; });
    if (!number.has_value() || unit == kTimeUnits.end()) return std::nullopt;
    const auto amount = static_cast<std::int64_t>(*number);
    if (amount > (kDurationMax - total) / unit->milliseconds) return std::nullopt;
    total += amount * unit->milliseconds;
    ++unit;
  }
  return absl::Milliseconds(total);
}

std::string DurationText(absl::Duration duration) {
  if (duration == absl::InfiniteDuration()) return "without limit";
  std::int64_t rest = absl::ToInt64Milliseconds(duration);
  std::string text;
  for (const TimeUnit& unit : kTimeUnits) {
    if (rest < unit.milliseconds) continue;
    absl::StrAppend(&text, rest / unit.milliseconds, unit.name);
    rest %= unit.milliseconds;
  }
  return text.empty() ? "0s" : text;
}

std::optional<std::uint64_t> ParseSize(std::string_view text) {
  const auto number = ParseWhole(Cut(text, IsDigit), std::numeric_limits<std::uint64_t>::max());
  const auto unit = std::find_if(kSizeUnits.begin(), kSizeUnits.end(),
                                 [&](const SizeUnit& u) { return u.name == text; });
  if (!number.has_value() || unit == kSizeUnits.end()) return std::nullopt;
  if (*number > std::numeric_limits<std::uint64_t>::max() / unit->bytes) return std::nullopt;
  return *number * unit->bytes;
}

std::string SizeText(std::uint64_t bytes) {
  for (std::size_t i = 0; i < kBinaryUnits && bytes != 0; ++i) {
    if (bytes % kSizeUnits[i].bytes == 0) {
      return absl::StrCat(bytes / kSizeUnits[i].bytes, kSizeUnits[i].name);
    }
  }
  return absl::StrCat(bytes, "B");
}

std::optional<ShareValue> ParseShare(std::string_view text) {
  const bool percent = text.ends_with('%');
  if (percent) text.remove_suffix(1);
  const auto number = ParseWhole(text, percent ? 100 : 1'000'000);
  if (!number.has_value() || (percent && *number == 0)) return std::nullopt;
  const auto value = static_cast<std::uint32_t>(*number);
  return percent ? ShareValue{0, value} : ShareValue{value, 0};
}

}  // namespace slipway::plan
