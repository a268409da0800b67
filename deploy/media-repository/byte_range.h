// The Range header of HTTP, as far as players of videos use it.
#pragma once

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"

namespace media {

struct ByteRange {
  std::int64_t offset = 0;
  std::int64_t length = 0;

  bool operator==(const ByteRange&) const = default;
};

struct RangeAnswer {
  enum Kind { whole, part, unsatisfiable } kind = whole;
  ByteRange range;  // set for `part`

  bool operator==(const RangeAnswer&) const = default;
};

// What to send of a content of `size` bytes when the header reads `header`: `bytes=A-B`, `bytes=A-`
// or `bytes=-N`. Several ranges, or text that is none of these, are answered with the whole, as
// RFC 9110 allows.
RangeAnswer AnswerToRange(absl::string_view header, std::int64_t size);

}  // namespace media
