#include "common/settings.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace slipway {
namespace {

std::string_view Trim(std::string_view text) {
  const auto trimmed = absl::StripAsciiWhitespace({text.data(), text.size()});
  return {trimmed.data(), trimmed.size()};
}

std::string Listed(const std::vector<std::string_view>& words) {
  std::string list;
  for (const auto word : words) absl::StrAppend(&list, list.empty() ? "" : ", ", std::string(word));
  return list;
}

std::string_view Unquoted(std::string_view value) {
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
    return value.substr(1, value.size() - 2);
  }
  return value;
}

}  // namespace

absl::StatusOr<Settings> ParseSettings(std::string_view name, std::string_view text,
                                       const std::vector<std::string_view>& known) {
  Settings settings;
  int number = 0;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = Trim(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    ++number;
    if (line.empty() || line.front() == '#') continue;

    const auto where = [&] { return absl::StrCat(std::string(name), ":", number, ": "); };
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || (colon + 1 < line.size() && line[colon + 1] != ' ')) {
      return absl::InvalidArgumentError(absl::StrCat(where(), "expected `key: value`"));
    }
    const std::string key(Trim(line.substr(0, colon)));
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat(where(), "unknown key \"", key, "\"; known are ", Listed(known)));
    }
    const std::string value(Unquoted(Trim(line.substr(colon + 1))));
    if (!settings.emplace(key, value).second) {
      return absl::InvalidArgumentError(absl::StrCat(where(), "key \"", key, "\" stands twice"));
    }
  }
  return settings;
}

std::string FormatSettings(std::string_view comment, const Settings& settings) {
  std::string text = absl::StrCat("# ", std::string(comment), "\n");
  for (const auto& [key, value] : settings) absl::StrAppend(&text, key, ": ", value, "\n");
  return text;
}

}  // namespace slipway
