#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "agent/health/connection.h"
#include "agent/health/http_reply.h"
#include "agent/health/probe.h"
#include "agent/health/tls_stream.h"
#include "common/clock.h"
#include "common/status_macros.h"

namespace slipway::agent {
namespace {

constexpr std::size_t kQuotedBytesMax = 120;

// The parts of http://host:port/path?query.
struct Url {
  bool tls = false;
  std::string host;  // without brackets
  std::string port;
  std::string asked;   // path and query
  std::string header;  // host as the URL has it, with its port
};

absl::Status NotAUrl(const std::string& url, const char* why) {
  return absl::InvalidArgumentError(absl::StrCat(url, " is not a URL that can be probed: ", why));
}

// "host", "host:8080", "[::1]:8080"
bool ReadHost(const std::string& authority, Url& url) {
  std::size_t end = authority.find(':');
  if (!authority.empty() && authority.front() == '[') {
    const std::size_t bracket = authority.find(']');
    if (bracket == std::string::npos) return false;
    url.host = authority.substr(1, bracket - 1);
    end = bracket + 1 == authority.size() ? std::string::npos : bracket + 1;
    if (end != std::string::npos && authority[end] != ':') return false;
  } else {
    url.host = authority.substr(0, end);
  }
  if (end != std::string::npos && end + 1 < authority.size()) url.port = authority.substr(end + 1);
  std::uint32_t port = 0;
  return !url.host.empty() && absl::SimpleAtoi(url.port, &port) && port > 0 && port <= 65535;
}

absl::StatusOr<Url> ReadUrl(const std::string& text) {
  Url url;
  url.tls = absl::StartsWith(text, "https://");
  if (!url.tls && !absl::StartsWith(text, "http://")) {
    return NotAUrl(text, "it begins with neither http:// nor https://");
  }
  for (const char c : text) {
    if (c <= ' ' || c == 0x7f) return NotAUrl(text, "it has a space or a control character in it");
  }
  const std::size_t begin = text.find("//") + 2;
  const std::size_t end = std::min(text.find_first_of("/?#", begin), text.size());
  url.header = text.substr(begin, end - begin);
  if (absl::StrContains(url.header, "@")) return NotAUrl(text, "probes send no credentials");
  url.port = url.tls ? "443" : "80";
  if (!ReadHost(url.header, url)) return NotAUrl(text, "its host or its port cannot be read");
  url.asked = text.substr(end, std::min(text.find('#', end), text.size()) - end);
  if (url.asked.empty() || url.asked.front() != '/') url.asked.insert(0, "/");
  return url;
}

absl::StatusOr<HttpReply> Ask(Stream& stream, const Url& url) {
  // In one piece: there are servers that read once.
  SLIPWAY_RETURN_IF_ERROR(stream.Send(
      absl::StrCat("GET ", url.asked, " HTTP/1.1\r\nHost: ", url.header,
                   "\r\nUser-Agent: slipway-agent\r\nAccept: */*\r\nConnection: close\r\n\r\n")));
  HttpReplyReader reader;
  while (!reader.done()) {
    SLIPWAY_ASSIGN_OR_RETURN(const std::string bytes, stream.Receive());
    SLIPWAY_RETURN_IF_ERROR(bytes.empty() ? reader.End() : reader.Add(bytes));
  }
  return reader.Take();
}

absl::StatusOr<HttpReply> Get(const Url& url, absl::Duration timeout) {
  const absl::Duration deadline = SystemClock().Monotonic() + timeout;
  SLIPWAY_ASSIGN_OR_RETURN(Connection connection, Connection::Open(url.host, url.port, deadline));
  if (!url.tls) return Ask(connection, url);
  SLIPWAY_ASSIGN_OR_RETURN(const std::unique_ptr<Stream> tls, OpenTls(connection, url.host));
  return Ask(*tls, url);
}

std::string Quoted(std::string_view text) {
  const std::string_view part = text.substr(0, kQuotedBytesMax);
  return absl::StrCat("\"", std::string(part), part.size() < text.size() ? "…\"" : "\"");
}

std::string AsText(const nlohmann::json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

absl::Status MatchJson(const std::string& url, const std::string& body,
                       const std::map<std::string, std::string>& expected) {
  const nlohmann::json json = nlohmann::json::parse(body, nullptr, false);
  if (!json.is_object()) {
    return absl::FailedPreconditionError(
        absl::StrCat("GET ", url, " answered no JSON object but ", Quoted(body)));
  }
  for (const auto& [member, wanted] : expected) {
    const auto it = json.find(member);
    const std::string found = it == json.end() ? "nothing" : Quoted(AsText(*it));
    if (it == json.end() || AsText(*it) != wanted) {
      return absl::FailedPreconditionError(absl::StrCat("GET ", url, " answered ", found, " as ",
                                                        member, ", and ", Quoted(wanted),
                                                        " was expected"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<HttpReply> HttpGet(const std::string& url, absl::Duration timeout) {
  SLIPWAY_ASSIGN_OR_RETURN(const Url parts, ReadUrl(url));
  absl::StatusOr<HttpReply> reply = Get(parts, timeout);
  if (reply.ok()) return reply;
  return absl::UnavailableError(absl::StrCat("GET ", url, ": ", reply.status().message()));
}

absl::Status HttpProbe(const std::string& url, const HttpExpectation& expected,
                       absl::Duration timeout) {
  SLIPWAY_ASSIGN_OR_RETURN(const HttpReply reply, HttpGet(url, timeout));
  const bool good =
      expected.status == 0 ? reply.status / 100 == 2 : reply.status == expected.status;
  if (!good) {
    const std::string wanted = expected.status == 0 ? "2xx" : absl::StrCat(expected.status);
    return absl::FailedPreconditionError(
        absl::StrCat("GET ", url, " answered ", reply.status, ", and ", wanted, " was expected"));
  }
  if (!absl::StrContains(reply.body, expected.contains)) {
    return absl::FailedPreconditionError(absl::StrCat("GET ", url, " answered ", Quoted(reply.body),
                                                      " without ", Quoted(expected.contains)));
  }
  if (expected.json.empty()) return absl::OkStatus();
  return MatchJson(url, reply.body, expected.json);
}

}  // namespace slipway::agent
