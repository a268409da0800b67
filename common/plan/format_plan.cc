#include "common/plan/format_plan.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/plan/strict_yaml.h"

namespace slipway::plan {
namespace {

using Column = std::ptrdiff_t;

constexpr Column kStep = 2;

Column IndentOf(absl::string_view line) {
  const auto at = line.find_first_not_of(' ');
  return static_cast<Column>(at == absl::string_view::npos ? line.size() : at);
}

bool IsBlank(absl::string_view line) {
  return line.find_first_not_of(" \r") == absl::string_view::npos;
}

bool IsItem(absl::string_view text) {
  return text == "-" || absl::StartsWith(text, "- ");
}

// What is still open at the end of a line: a quote, brackets, or a block scalar's header.
class LineEnd {
 public:
  bool open() const { return quote_ != '\0' || brackets_ > 0; }
  bool begins_block() const { return begins_block_; }

  void Read(absl::string_view line) {
    std::string code;  // without quoted text and comment
    for (std::size_t i = 0; i < line.size(); ++i) {
      const char c = line[i];
      if (quote_ != '\0') {
        if (quote_ == '"' && c == '\\') ++i;
        if (c == quote_) quote_ = '\0';
        continue;
      }
      const bool starts = code.empty() || absl::StrContains(" ,[{:", code.substr(code.size() - 1));
      if (c == '#' && (code.empty() || code.back() == ' ')) break;
      if ((c == '"' || c == '\'') && starts) quote_ = c;
      if ((c == '{' || c == '[') && (starts || brackets_ > 0)) ++brackets_;
      if ((c == '}' || c == ']') && brackets_ > 0) --brackets_;
      code += c;
    }
    absl::string_view rest = absl::StripTrailingAsciiWhitespace(code);
    while (!rest.empty() && absl::StrContains("+-123456789", rest.substr(rest.size() - 1))) {
      rest.remove_suffix(1);
    }
    begins_block_ = !open() && (rest == "|" || rest == ">" || absl::EndsWith(rest, ": |") ||
                                absl::EndsWith(rest, ": >"));
  }

 private:
  char quote_ = '\0';
  int brackets_ = 0;
  bool begins_block_ = false;
};

class Formatter {
 public:
  std::string Format(std::string_view text) {
    for (absl::string_view line :
         absl::StrSplit(absl::string_view(text.data(), text.size()), '\n')) {
      Take(line);
    }
    PlaceComments(levels_, -1, 0);
    while (absl::EndsWith(out_, "\n\n")) out_.pop_back();
    return std::move(out_);
  }

 private:
  // One block mapping or list that is open: where it stood, and where it stands now.
  struct Level {
    Column was, is;
    bool list;
  };

  void Take(absl::string_view line) {
    if (in_block_ && (IsBlank(line) || IndentOf(line) > levels_.back().was)) return Shift(line);
    in_block_ = false;
    if (end_.open()) {
      Shift(line);
      end_.Read(line);
      return;
    }
    line = absl::StripTrailingAsciiWhitespace(line);
    const Column was = IndentOf(line);
    if (line.empty() || line[static_cast<std::size_t>(was)] == '#') {
      comments_.emplace_back(line);
    } else {
      Structure(was, line.substr(static_cast<std::size_t>(was)));
    }
  }

  // A line within a scalar or brackets goes where its beginning went.
  void Shift(absl::string_view line) {
    if (IsBlank(line)) {
      absl::StrAppend(&out_, line, "\n");
      return;
    }
    const Column was = IndentOf(line);
    const Column is = std::max<Column>(0, was + levels_.back().is - levels_.back().was);
    out_.append(static_cast<std::size_t>(is), ' ');
    absl::StrAppend(&out_, line.substr(static_cast<std::size_t>(was)), "\n");
  }

  // A line on which keys or items begin.
  void Structure(Column was, absl::string_view text) {
    const std::vector<Level> before = levels_;
    Column is = Enter(was, IsItem(text));
    PlaceComments(before, was, is);
    out_.append(static_cast<std::size_t>(is), ' ');
    while (absl::StartsWith(text, "- ")) {
      const Column gap = 1 + IndentOf(text.substr(1));
      out_ += "- ";
      text.remove_prefix(static_cast<std::size_t>(gap));
      was += gap;
      is = Enter(was, IsItem(text));
    }
    absl::StrAppend(&out_, text, "\n");
    end_.Read(text);
    in_block_ = end_.begins_block();
    // An item that is a block scalar is as deep as its dash.
    if (in_block_ && levels_.size() > 1 && (text[0] == '|' || text[0] == '>')) levels_.pop_back();
  }

  // The level on which something stands that stood at `was`; gives its new column.
  Column Enter(Column was, bool item) {
    while (!levels_.empty() && (levels_.back().was > was ||
                                (levels_.back().was == was && levels_.back().list && !item))) {
      levels_.pop_back();
    }
    if (levels_.empty()) {
      levels_.push_back({was, 0, item});
    } else if (levels_.back().was < was || (item && !levels_.back().list)) {
      levels_.push_back({was, levels_.back().is + kStep, item});
    }
    return levels_.back().is;
  }

  // A comment that is deeper than the line below it belongs to what ends above that line.
  void PlaceComments(const std::vector<Level>& before, Column next_was, Column next_is) {
    for (const std::string& comment : comments_) {
      if (comment.empty()) {
        if (!out_.empty() && !absl::EndsWith(out_, "\n\n")) out_ += "\n";
        continue;
      }
      const Column was = IndentOf(comment);
      Column is = next_is;
      if (was > next_was) {
        is = 0;
        Column at = -1;  // of two levels that stood alike, the outer one
        for (const Level& level : before) {
          if (level.was <= at || level.was > was) continue;
          at = level.was;
          is = level.is;
        }
      }
      out_.append(static_cast<std::size_t>(is), ' ')
          .append(comment.substr(static_cast<std::size_t>(was)))
          .append("\n");
    }
    comments_.clear();
  }

  std::vector<Level> levels_;
  std::vector<std::string> comments_;  // and blank lines, before the next line
  LineEnd end_;
  bool in_block_ = false;
  std::string out_;
};

bool SaysTheSame(const YamlNode& a, const YamlNode& b) {
  return a.kind == b.kind && a.text == b.text && a.plain == b.plain &&
         std::equal(a.items.begin(), a.items.end(), b.items.begin(), b.items.end(), SaysTheSame) &&
         std::equal(a.entries.begin(), a.entries.end(), b.entries.begin(), b.entries.end(),
                    [](const YamlEntry& x, const YamlEntry& y) {
                      return SaysTheSame(x.key, y.key) && SaysTheSame(x.value, y.value);
                    });
}

}  // namespace

std::optional<std::string> FormatPlan(const SourceMap& source, std::vector<Problem>& problems) {
  const auto before = ReadStrictYaml(source, problems);
  if (HasErrors(problems)) return std::nullopt;
  std::string text = Formatter().Format(source.text());
  std::vector<Problem> unread;
  const auto after = ReadStrictYaml(SourceMap(source.file(), text), unread);
  const bool same =
      before.has_value() ? after.has_value() && SaysTheSame(*before, *after) : !after.has_value();
  if (!same || HasErrors(unread)) return std::nullopt;
  return text;
}

}  // namespace slipway::plan
