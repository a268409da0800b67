// Tables of hostile cases: text files with one case a line.
#pragma once

#include <string>
#include <vector>

namespace slipway::test {

struct Row {
  int line = 0;
  std::string verdict;  // the first word
  std::string rest;     // behind it, unescaped and expanded
};

// Reads tests/hostile/testdata/NAME. Empty lines and those that begin with # say nothing. In the
// rest C's escapes count, and {TEXT*N} is N times TEXT. A row that cannot be read fails the test.
std::vector<Row> ReadTable(const std::string& name);

// How a row is named in messages.
std::string Shown(const Row& row);

// The words of `text`, between blanks.
std::vector<std::string> Words(const std::string& text);

}  // namespace slipway::test
