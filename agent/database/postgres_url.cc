#include "agent/database/postgres_url.h"

#include <map>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/status_macros.h"

namespace slipway::agent {
namespace {

constexpr std::size_t kLineMax = 900;  // bytes; libpq reads lines of a service file up to 1,024

absl::Status Wrong(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(
      "the URL of the database ", what, "; it is postgresql://USER:PASSWORD@HOST:PORT/DATABASE"));
}

std::optional<std::string> Decoded(absl::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    if (i + 2 >= text.size() || !absl::ascii_isxdigit(static_cast<unsigned char>(text[i + 1])) ||
        !absl::ascii_isxdigit(static_cast<unsigned char>(text[i + 2]))) {
      return std::nullopt;
    }
    decoded += absl::HexStringToBytes(text.substr(i + 1, 2));
    i += 2;
  }
  return decoded;
}

// What a line of the service file can carry: libpq takes the rest of the line without the white
// space at its ends.
bool FitsInLine(const std::string& value) {
  for (const char c : value) {
    if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) return false;
  }
  return value.size() <= kLineMax && absl::StripAsciiWhitespace(value) == value;
}

class Settings {
 public:
  absl::Status Set(absl::string_view key, absl::string_view encoded) {
    if (encoded.empty()) return absl::OkStatus();
    const auto value = Decoded(encoded);
    if (!value) return Wrong(absl::StrCat("has a \"%\" in its ", key, " that is no %XX"));
    if (!FitsInLine(*value)) {
      return Wrong(absl::StrCat("has a ", key,
                                " that no service file can hold (control "
                                "character, space at an end, or too long)"));
    }
    values_[std::string(key)] = *value;
    return absl::OkStatus();
  }
  const std::map<std::string, std::string>& values() const { return values_; }

 private:
  std::map<std::string, std::string> values_;
};

absl::Status ReadHost(absl::string_view host, Settings& settings) {
  const std::size_t bracket = host.find(']');
  if (!host.empty() && host[0] == '[' && bracket != absl::string_view::npos) {
    SLIPWAY_RETURN_IF_ERROR(settings.Set("host", host.substr(1, bracket - 1)));
    const absl::string_view rest = host.substr(bracket + 1);
    if (rest.empty()) return absl::OkStatus();
    if (rest[0] != ':') return Wrong("has something after the \"]\" of its host");
    return settings.Set("port", rest.substr(1));
  }
  if (host.find(',') != absl::string_view::npos) return Wrong("names several hosts");
  const std::size_t colon = host.rfind(':');
  SLIPWAY_RETURN_IF_ERROR(settings.Set("host", host.substr(0, colon)));
  if (colon == absl::string_view::npos) return absl::OkStatus();
  return settings.Set("port", host.substr(colon + 1));
}

absl::Status ReadParameters(absl::string_view text, Settings& settings) {
  for (const absl::string_view parameter : absl::StrSplit(text, '&', absl::SkipEmpty())) {
    const std::size_t equals = parameter.find('=');
    if (equals == absl::string_view::npos || equals == 0) return Wrong("has a parameter without =");
    const absl::string_view key = parameter.substr(0, equals);
    for (const char c : key) {
      if (!absl::ascii_islower(static_cast<unsigned char>(c)) && c != '_') {
        return Wrong("has a parameter whose name is no setting of libpq");
      }
    }
    SLIPWAY_RETURN_IF_ERROR(settings.Set(key, parameter.substr(equals + 1)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<PostgresAddress> ReadPostgresUrl(std::string_view url) {
  absl::string_view rest(url.data(), url.size());
  if (!absl::ConsumePrefix(&rest, "postgresql://") && !absl::ConsumePrefix(&rest, "postgres://")) {
    return Wrong("does not begin with postgresql://");
  }
  Settings settings;
  const std::size_t question = rest.find('?');
  const absl::string_view parameters =
      question == absl::string_view::npos ? "" : rest.substr(question + 1);
  rest = rest.substr(0, question);
  const std::size_t slash = rest.find('/');
  absl::string_view authority = rest.substr(0, slash);
  const absl::string_view database = slash == absl::string_view::npos ? "" : rest.substr(slash + 1);
  if (const std::size_t at = authority.rfind('@'); at != absl::string_view::npos) {
    const absl::string_view who = authority.substr(0, at);
    const std::size_t colon = who.find(':');
    SLIPWAY_RETURN_IF_ERROR(settings.Set("user", who.substr(0, colon)));
    if (colon != absl::string_view::npos) {
      SLIPWAY_RETURN_IF_ERROR(settings.Set("password", who.substr(colon + 1)));
    }
    authority = authority.substr(at + 1);
  }
  SLIPWAY_RETURN_IF_ERROR(ReadHost(authority, settings));
  SLIPWAY_RETURN_IF_ERROR(settings.Set("dbname", database));
  SLIPWAY_RETURN_IF_ERROR(ReadParameters(parameters, settings));
  const auto name = settings.values().find("dbname");
  if (name == settings.values().end()) return Wrong("names no database");
  PostgresAddress address{.database = name->second, .service = "[slipway]\n"};
  for (const auto& [key, value] : settings.values()) {
    absl::StrAppend(&address.service, key, "=", value, "\n");
  }
  return address;
}

}  // namespace slipway::agent
