#include "deploy/media-repository/config.h"

#include <cerrno>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace media {
namespace {

// Takes the text right of `=`; the message of an error says what was expected.
using Setter = std::function<absl::Status(absl::string_view)>;

Setter SetText(std::string& field) {
  return [&field](absl::string_view value) {
    if (value.size() < 2 || value.front() != '"' || value.back() != '"' ||
        value.substr(1, value.size() - 2).find_first_of("\"\\") != absl::string_view::npos) {
      return absl::InvalidArgumentError("expected a \"string\" without quotes or backslashes");
    }
    field = std::string(value.substr(1, value.size() - 2));
    return absl::OkStatus();
  };
}

template <typename Integer>
Setter SetInteger(Integer& field, Integer min, Integer max) {
  return [&field, min, max](absl::string_view value) {
    Integer number = 0;
    if (!absl::SimpleAtoi(value, &number) || number < min || number > max) {
      return absl::InvalidArgumentError(
          absl::StrCat("expected an integer from ", min, " to ", max));
    }
    field = number;
    return absl::OkStatus();
  };
}

Setter SetFlag(bool& field) {
  return [&field](absl::string_view value) {
    if (value != "true" && value != "false") {
      return absl::InvalidArgumentError("expected true or false");
    }
    field = value == "true";
    return absl::OkStatus();
  };
}

std::map<std::string, Setter> SettersFor(Config& config, bool unified_api) {
  std::map<std::string, Setter> setters = {
      {"service.name", SetText(config.name)},
      {"service.release", SetText(config.release)},
      {"listen.host", SetText(config.host)},
      {"listen.port", SetInteger(config.port, 0, 65535)},
      {"storage.database", SetText(config.database)},
      {"storage.media", SetText(config.media)},
      {"limits.max_upload_bytes",
       SetInteger<std::int64_t>(config.max_upload_bytes, 1, std::int64_t{1} << 40)},
      {"limits.drain_seconds", SetInteger(config.drain_seconds, 1, 3600)},
  };
  if (unified_api) setters.emplace("api.legacy", SetFlag(config.legacy));
  return setters;
}

// The line without its comment. A `#` inside quotes is part of the value.
absl::string_view Code(absl::string_view line) {
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"') quoted = !quoted;
    if (line[i] == '#' && !quoted) return line.substr(0, i);
  }
  return line;
}

}  // namespace

absl::StatusOr<Config> ParseConfig(absl::string_view text, absl::string_view name,
                                   bool unified_api) {
  Config config;
  const std::map<std::string, Setter> setters = SettersFor(config, unified_api);
  std::set<std::string> seen;
  std::string section;
  int number = 0;
  for (const absl::string_view raw : absl::StrSplit(text, '\n')) {
    ++number;
    const auto error = [&](const auto&... what) {
      return absl::InvalidArgumentError(absl::StrCat(name, ":", number, ": ", what...));
    };
    const absl::string_view line = absl::StripAsciiWhitespace(Code(raw));
    if (line.empty()) continue;
    if (line.front() == '[') {
      if (line.back() != ']') return error("expected [section]");
      section = std::string(absl::StripAsciiWhitespace(line.substr(1, line.size() - 2)));
      continue;
    }
    const std::size_t equals = line.find('=');
    if (equals == absl::string_view::npos) return error("expected [section] or key = value");
    const std::string key =
        absl::StrCat(section, ".", absl::StripAsciiWhitespace(line.substr(0, equals)));
    const auto setter = setters.find(key);
    if (setter == setters.end()) return error("unknown key ", key);
    if (!seen.insert(key).second) return error(key, " is given twice");
    const absl::Status set = setter->second(absl::StripAsciiWhitespace(line.substr(equals + 1)));
    if (!set.ok()) return error(key, ": ", set.message());
  }
  for (const char* needed : {"listen.host", "listen.port", "storage.database", "storage.media"}) {
    if (!seen.contains(needed)) {
      return absl::InvalidArgumentError(absl::StrCat(name, ": ", needed, " is missing"));
    }
  }
  return config;
}

absl::StatusOr<Config> LoadConfig(const std::string& path, bool unified_api) {
  std::ifstream file(path);
  if (!file) return absl::ErrnoToStatus(errno, absl::StrCat("cannot read configuration ", path));
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  if (file.bad()) return absl::UnavailableError(absl::StrCat("cannot read ", path));
  return ParseConfig(text, path, unified_api);
}

}  // namespace media
