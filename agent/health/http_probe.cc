#include <curl/curl.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/health/probe.h"
#include "common/status_macros.h"

namespace slipway::agent {
namespace {

constexpr std::size_t kQuotedBytesMax = 120;

std::size_t Collect(char* data, std::size_t, std::size_t bytes, void* body) {
  auto& text = *static_cast<std::string*>(body);
  text.append(data,
              std::min(bytes, kProbeBodyBytesMax - std::min(kProbeBodyBytesMax, text.size())));
  return bytes;
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
  static const CURLcode once = curl_global_init(CURL_GLOBAL_DEFAULT);
  const std::unique_ptr<CURL, void (*)(CURL*)> curl(curl_easy_init(), curl_easy_cleanup);
  if (once != CURLE_OK || curl == nullptr) return absl::InternalError("libcurl cannot be used");
  if (!absl::StartsWith(url, "http://") && !absl::StartsWith(url, "https://")) {
    return absl::InvalidArgumentError(absl::StrCat(url, " is not an http or https URL"));
  }
  HttpReply reply;
  const auto ms = std::max<std::int64_t>(1, absl::ToInt64Milliseconds(timeout));
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl.get(), CURLOPT_NOPROXY, "*");
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(ms));
  curl_easy_setopt(curl.get(), CURLOPT_FRESH_CONNECT, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_FORBID_REUSE, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_USERAGENT, "slipway-agent");
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, Collect);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &reply.body);
  const CURLcode done = curl_easy_perform(curl.get());
  if (done == CURLE_URL_MALFORMAT) {
    return absl::InvalidArgumentError(absl::StrCat(url, " is not a URL"));
  }
  if (done != CURLE_OK) {
    return absl::UnavailableError(absl::StrCat("GET ", url, ": ", curl_easy_strerror(done)));
  }
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  reply.status = static_cast<int>(status);
  return reply;
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
