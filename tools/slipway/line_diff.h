// What differs between two texts, line by line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace slipway::cli {

struct DiffLine {
  enum class Kind { same, removed, added };
  Kind kind = Kind::same;
  std::string text;  // without its newline
  bool operator==(const DiffLine&) const = default;
};

// A shortest way from `before` to `after`; of lines that change places the removed ones come first.
// For texts of a few thousand lines: time and memory grow with the product of what differs.
std::vector<DiffLine> DiffLines(std::string_view before, std::string_view after);

}  // namespace slipway::cli
