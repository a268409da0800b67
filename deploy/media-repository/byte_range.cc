#include "deploy/media-repository/byte_range.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace media {
namespace {

// Digits only: SimpleAtoi would take signs and spaces too.
std::optional<std::int64_t> Number(absl::string_view text) {
  std::int64_t number = 0;
  const bool digits = std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
  if (!digits || !absl::SimpleAtoi(text, &number)) return std::nullopt;
  return number;
}

}  // namespace

RangeAnswer AnswerToRange(absl::string_view header, std::int64_t size) {
  const RangeAnswer whole;
  if (!absl::ConsumePrefix(&header, "bytes=")) return whole;
  const std::vector<std::string> ends = absl::StrSplit(header, '-');
  if (ends.size() != 2) return whole;
  const std::optional<std::int64_t> first = Number(ends[0]);
  const std::optional<std::int64_t> last = Number(ends[1]);
  if (ends[0].empty()) {  // the last N bytes
    if (!last.has_value()) return whole;
    if (*last == 0 || size == 0) return {.kind = RangeAnswer::unsatisfiable, .range = {}};
    const std::int64_t length = std::min(*last, size);
    return {.kind = RangeAnswer::part, .range = {.offset = size - length, .length = length}};
  }
  const bool open_ended = ends[1].empty();
  if (!first.has_value() || (!open_ended && (!last.has_value() || *last < *first))) return whole;
  if (*first >= size) return {.kind = RangeAnswer::unsatisfiable, .range = {}};
  const std::int64_t end = open_ended ? size : std::min(*last + 1, size);
  return {.kind = RangeAnswer::part, .range = {.offset = *first, .length = end - *first}};
}

}  // namespace media
