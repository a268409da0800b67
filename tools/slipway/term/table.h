// Rows and columns for people.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/slipway/term/terminal.h"

namespace slipway::cli {

// What is shown, and what it is sorted by: the number, or else the text.
struct Cell {
  Cell(const char* shown) : text(shown) {}
  Cell(std::string shown) : text(std::move(shown)) {}
  Cell(std::string shown, double number) : text(std::move(shown)), number(number) {}
  std::string text;
  std::optional<double> number;
};

// Columns aligned to the widest cell; the last one is cut at the terminal's edge.
class Table {
 public:
  explicit Table(std::vector<std::string> header) : header_(std::move(header)) {}
  // With the columns that the command table names, as --columns, --sort-by and --no-headers want
  // them.
  static Table Of(const Invocation& invocation);

  // Only these columns of the header, in this order.
  void Show(const std::vector<std::string>& names);
  void Add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
  bool empty() const { return rows_.empty(); }
  std::string Text(const Stream& stream) const;

 private:
  using Row = std::vector<Cell>;
  bool Before(const Row& a, const Row& b) const;
  std::string Line(const Stream& stream, const std::vector<std::size_t>& widths,
                   const std::vector<std::string>& cells) const;

  std::vector<std::string> header_;
  std::vector<Row> rows_;
  std::vector<std::size_t> shown_;  // columns, in this order; empty: all
  std::optional<std::size_t> sorted_by_;
  bool descending_ = false, headless_ = false;
};

// "web-2" before "web-10".
bool NaturalLess(std::string_view a, std::string_view b);

}  // namespace slipway::cli
