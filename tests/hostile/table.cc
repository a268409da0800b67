#include "tests/hostile/table.h"

#include <gtest/gtest.h>

#include <fstream>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace slipway::test {
namespace {

constexpr std::size_t kShownBytesMax = 120;

// {TEXT*N} at `at` of `text`, appended to `out`; false when there is none.
bool Expand(const std::string& text, std::size_t& at, std::string& out) {
  const std::size_t end = text.find('}', at);
  const std::size_t star = end == std::string::npos ? end : text.rfind('*', end);
  if (text[at] != '{' || star == std::string::npos || star < at) return false;
  int times = 0;
  if (!absl::SimpleAtoi(text.substr(star + 1, end - star - 1), &times)) return false;
  const std::string piece = text.substr(at + 1, star - at - 1);
  for (int i = 0; i < times; ++i) out += piece;
  at = end + 1;
  return true;
}

std::string Expanded(const std::string& text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    if (!Expand(text, at, out)) out += text[at++];
  }
  return out;
}

}  // namespace

std::vector<Row> ReadTable(const std::string& name) {
  std::vector<Row> rows;
  std::ifstream file("tests/hostile/testdata/" + name);
  EXPECT_TRUE(file.good()) << name;
  std::string text;
  for (int line = 1; std::getline(file, text); ++line) {
    if (text.empty() || text[0] == '#') continue;
    const std::size_t blank = text.find(' ');
    Row row{line, text.substr(0, blank), ""};
    const std::string rest = blank == std::string::npos ? "" : text.substr(blank + 1);
    std::string error;
    EXPECT_TRUE(absl::CUnescape(Expanded(rest), &row.rest, &error))
        << name << ":" << line << ": " << error;
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string Shown(const Row& row) {
  return absl::StrCat("line ", row.line, ": ", row.verdict, " ",
                      absl::CHexEscape(row.rest.substr(0, kShownBytesMax)));
}

std::vector<std::string> Words(const std::string& text) {
  return absl::StrSplit(text, ' ', absl::SkipEmpty());
}

}  // namespace slipway::test
