#include "tools/slipway/line_diff.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace slipway::cli {
namespace {

using Lines = std::vector<std::string>;

Lines Split(std::string_view text) {
  absl::string_view rest(text.data(), text.size());
  if (rest.empty()) return {};
  absl::ConsumeSuffix(&rest, "\n");
  return absl::StrSplit(rest, '\n');
}

}  // namespace

std::vector<DiffLine> DiffLines(std::string_view before, std::string_view after) {
  const Lines a = Split(before), b = Split(after);
  std::size_t head = 0, tail = 0;
  while (head < std::min(a.size(), b.size()) && a[head] == b[head]) ++head;
  while (tail < std::min(a.size(), b.size()) - head &&
         a[a.size() - 1 - tail] == b[b.size() - 1 - tail]) {
    ++tail;
  }
  // Longest common subsequence of what is left: common[i][j] of the lines from i and j on.
  const std::size_t n = a.size() - head - tail, m = b.size() - head - tail;
  std::vector<std::vector<std::uint32_t>> common(n + 1, std::vector<std::uint32_t>(m + 1, 0));
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t j = m; j-- > 0;) {
      common[i][j] = a[head + i] == b[head + j] ? common[i + 1][j + 1] + 1
                                                : std::max(common[i + 1][j], common[i][j + 1]);
    }
  }
  std::vector<DiffLine> diff;
  for (std::size_t i = 0; i < head; ++i) diff.push_back({DiffLine::Kind::same, a[i]});
  std::size_t i = 0, j = 0;
  while (i < n || j < m) {
    if (i < n && j < m && a[head + i] == b[head + j]) {
      diff.push_back({DiffLine::Kind::same, a[head + i]});
      ++i, ++j;
    } else if (i < n && (j == m || common[i + 1][j] >= common[i][j + 1])) {
      diff.push_back({DiffLine::Kind::removed, a[head + i++]});
    } else {
      diff.push_back({DiffLine::Kind::added, b[head + j++]});
    }
  }
  for (std::size_t k = a.size() - tail; k < a.size(); ++k) {
    diff.push_back({DiffLine::Kind::same, a[k]});
  }
  return diff;
}

}  // namespace slipway::cli
