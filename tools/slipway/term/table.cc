#include "tools/slipway/term/table.h"

#include <algorithm>
#include <cctype>

#include "absl/strings/str_cat.h"
#include "tools/slipway/term/escape.h"

namespace slipway::cli {
namespace {

constexpr std::size_t kGap = 3;

bool IsDigit(char c) {
  return std::isdigit(static_cast<unsigned char>(c)) != 0;
}

// The digits of `text` from `at` on, without leading zeros; `at` goes behind them.
std::string_view Number(std::string_view text, std::size_t& at) {
  const std::size_t begin = at;
  while (at < text.size() && IsDigit(text[at])) ++at;
  std::string_view digits = text.substr(begin, at - begin);
  while (digits.size() > 1 && digits[0] == '0') digits.remove_prefix(1);
  return digits;
}

}  // namespace

bool NaturalLess(std::string_view a, std::string_view b) {
  std::size_t i = 0, j = 0;
  while (i < a.size() && j < b.size()) {
    if (IsDigit(a[i]) && IsDigit(b[j])) {
      const std::string_view x = Number(a, i), y = Number(b, j);
      if (x.size() != y.size()) return x.size() < y.size();
      if (x != y) return x < y;
    } else if (a[i] != b[j]) {
      return static_cast<unsigned char>(a[i]) < static_cast<unsigned char>(b[j]);
    } else {
      ++i, ++j;
    }
  }
  return a.size() - i < b.size() - j;
}

Table Table::Of(const Invocation& invocation) {
  const std::vector<std::string> columns = ColumnNames(invocation.command().columns);
  Table table(columns);
  table.Show(ColumnNames(invocation.Value("columns")));
  if (const auto sorted = ColumnNames(invocation.Value("sort-by")); !sorted.empty()) {
    table.sorted_by_ = static_cast<std::size_t>(
        std::find(columns.begin(), columns.end(), sorted.front()) - columns.begin());
  }
  table.descending_ = invocation.Flag("reverse");
  table.headless_ = invocation.Flag("no-headers");
  return table;
}

void Table::Show(const std::vector<std::string>& names) {
  shown_.clear();
  for (const std::string& name : names) {
    shown_.push_back(static_cast<std::size_t>(std::find(header_.begin(), header_.end(), name) -
                                              header_.begin()));
  }
}

bool Table::Before(const Row& a, const Row& b) const {
  const Cell &x = a[*sorted_by_], &y = b[*sorted_by_];
  if (x.number.has_value() != y.number.has_value()) return x.number.has_value();
  if (x.number.has_value()) return *x.number < *y.number;
  return NaturalLess(x.text, y.text);
}

std::string Table::Line(const Stream& stream, const std::vector<std::size_t>& widths,
                        const std::vector<std::string>& cells) const {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    absl::StrAppend(&line, i + 1 == cells.size() ? cells[i] : Fit(cells[i], widths[i] + kGap));
  }
  if (stream.terminal && Width(line) > stream.columns) {
    line = Fit(line, stream.columns, stream.ascii);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

std::string Table::Text(const Stream& stream) const {
  std::vector<Row> rows = rows_;
  if (sorted_by_.has_value()) {
    std::stable_sort(rows.begin(), rows.end(), [this](const Row& a, const Row& b) {
      return descending_ ? Before(b, a) : Before(a, b);
    });
  }
  std::vector<std::size_t> columns = shown_;
  for (std::size_t i = 0; columns.size() < header_.size() && shown_.empty(); ++i) {
    columns.push_back(i);
  }
  std::vector<std::vector<std::string>> lines(headless_ ? 0 : 1);
  for (const std::size_t column : columns) {
    if (!headless_) lines[0].push_back(header_[column]);
  }
  for (const Row& row : rows) {
    auto& line = lines.emplace_back();
    for (const std::size_t column : columns) line.push_back(row[column].text);
  }
  std::vector<std::size_t> widths(columns.size());
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], Width(line[i]));
  }
  std::string text;
  for (std::size_t l = 0; l < lines.size(); ++l) {
    const std::string line = Line(stream, widths, lines[l]);
    const bool heading = l == 0 && !headless_;
    absl::StrAppend(&text, heading ? Paint(stream, Tone::dim, line) : line, "\n");
  }
  return text;
}

}  // namespace slipway::cli
