#include "common/plan/render_problems.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/str_cat.h"

namespace slipway::plan {
namespace {

constexpr std::string_view kBold = "\x1b[1m";
constexpr std::string_view kRed = "\x1b[1;31m";
constexpr std::string_view kYellow = "\x1b[1;33m";
constexpr std::string_view kBlue = "\x1b[1;34m";
constexpr std::string_view kReset = "\x1b[0m";

class Painter {
 public:
  explicit Painter(Colour colour) : on_(colour == Colour::ansi) {}
  std::string operator()(std::string_view colour, std::string_view text) const {
    if (!on_ || text.empty()) return std::string(text);
    return std::string(colour).append(text).append(kReset);
  }

 private:
  const bool on_;
};

// Blanks as wide as the first `columns` characters of `line`; tabs stay tabs, so that the caret
// stands where the terminal puts the character.
std::string Indent(std::string_view line, std::uint32_t columns) {
  std::string indent;
  for (const char c : line) {
    if ((static_cast<unsigned char>(c) & 0xC0) == 0x80) continue;
    if (columns-- == 0) return indent;
    indent += c == '\t' ? '\t' : ' ';
  }
  return indent;
}

std::string RenderOne(const Problem& p, const Painter& paint) {
  const bool error = p.severity == Problem::Severity::error;
  const std::string_view colour = error ? kRed : kYellow;
  const std::string number = absl::StrCat(p.line);
  const std::string gutter(p.line == 0 ? 1 : number.size(), ' ');
  std::string text =
      absl::StrCat(paint(colour, absl::StrCat(error ? "error[" : "warning[", p.code, "]")),
                   paint(kBold, absl::StrCat(": ", p.message)), "\n");
  if (!p.file.empty()) {
    absl::StrAppend(&text, gutter, paint(kBlue, "-->"), " ", p.file);
    if (p.line != 0) absl::StrAppend(&text, ":", p.line, ":", p.column);
    absl::StrAppend(&text, "\n");
  }
  if (p.line != 0 && !p.source_line.empty()) {
    const std::string carets(std::clamp<std::uint32_t>(p.length, 1, 200), '^');
    absl::StrAppend(
        &text, gutter, paint(kBlue, " |"), "\n", paint(kBlue, absl::StrCat(number, " |")), " ",
        p.source_line, "\n", gutter, paint(kBlue, " |"), " ", Indent(p.source_line, p.column - 1),
        paint(colour, p.label.empty() ? carets : absl::StrCat(carets, " ", p.label)), "\n");
  } else if (!p.label.empty()) {
    absl::StrAppend(&text, gutter, paint(kBlue, " = "), p.label, "\n");
  }
  if (!p.help.empty()) {
    absl::StrAppend(&text, gutter, paint(kBlue, " |"), "\n", gutter, paint(kBlue, " = "),
                    "help: ", p.help, "\n");
  }
  return text;
}

std::string Count(std::size_t number, const char* noun) {
  return absl::StrCat(number, " ", noun, number == 1 ? "" : "s");
}

}  // namespace

std::string RenderProblems(const std::vector<Problem>& problems, Colour colour) {
  const Painter paint(colour);
  std::string text;
  for (const Problem& problem : problems) {
    absl::StrAppend(&text, text.empty() ? "" : "\n", RenderOne(problem, paint));
  }
  return text;
}

std::string CountProblems(const std::string& file, const std::vector<Problem>& problems) {
  const auto errors = static_cast<std::size_t>(
      std::count_if(problems.begin(), problems.end(),
                    [](const Problem& p) { return p.severity == Problem::Severity::error; }));
  const std::size_t warnings = problems.size() - errors;
  std::string text = absl::StrCat(file, ": ");
  if (errors == 0 && warnings == 0) return text + "no problems";
  if (errors > 0) absl::StrAppend(&text, Count(errors, "error"));
  if (warnings > 0) absl::StrAppend(&text, errors > 0 ? ", " : "", Count(warnings, "warning"));
  return text;
}

}  // namespace slipway::plan
