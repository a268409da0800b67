#include "common/template.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/nearest_name.h"
#include "common/status_macros.h"

namespace slipway {
namespace {

constexpr std::string_view kOpen = "{{";
constexpr std::string_view kClose = "}}";

// "3:14", counted from 1, of the byte at `offset`.
std::string Position(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t line_start = before.rfind('\n');
  const std::size_t column =
      line_start == std::string_view::npos ? offset + 1 : offset - line_start;
  return absl::StrCat(line, ":", column);
}

bool IsNameCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
         std::string_view("_.-()").find(c) != std::string_view::npos;
}

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

absl::StatusOr<std::string> ValueOf(std::string_view inside, const std::string& position,
                                    const std::map<std::string, std::string>& vars) {
  const std::string name(Trimmed(inside));
  if (name.empty() || !std::all_of(name.begin(), name.end(), IsNameCharacter)) {
    return absl::InvalidArgumentError(
        absl::StrCat(position, ": expected {{name}} with a name of letters, digits and \"_.-()\""));
  }
  const auto it = vars.find(name);
  if (it != vars.end()) return it->second;
  std::vector<std::string> known;
  for (const auto& [known_name, value] : vars) known.push_back(known_name);
  const std::string near = NearestName(name, known);
  return absl::InvalidArgumentError(
      absl::StrCat(position, ": variable {{", name, "}} is not defined",
                   near.empty() ? "" : absl::StrCat("; did you mean {{", near, "}}?")));
}

}  // namespace

absl::StatusOr<std::string> Render(std::string_view text,
                                   const std::map<std::string, std::string>& vars) {
  std::string out;
  std::size_t at = 0;
  while (true) {
    const std::size_t open = text.find(kOpen, at);
    out.append(text.substr(at, open == std::string_view::npos ? open : open - at));
    if (open == std::string_view::npos) return out;
    const std::size_t inside = open + kOpen.size();
    const std::size_t close = text.find(kClose, inside);
    if (close == std::string_view::npos) {
      return absl::InvalidArgumentError(
          absl::StrCat(Position(text, open), ": {{ is never closed by }}"));
    }
    SLIPWAY_ASSIGN_OR_RETURN(const std::string value, ValueOf(text.substr(inside, close - inside),
                                                              Position(text, open), vars));
    out += value;
    at = close + kClose.size();
  }
}

}  // namespace slipway
