// One look at something that should answer. Thread-safe; each call is a try of its own.
#pragma once

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace slipway::agent {

inline constexpr std::size_t kProbeBodyBytesMax = 1 << 20;

struct HttpReply {
  int status = 0;
  std::string body;  // at most kProbeBodyBytesMax
};

// GET, http or https, no proxy, redirects are not followed: what answers is what was asked.
// UNAVAILABLE: nobody answered, with the reason; INVALID_ARGUMENT: not a URL that can be probed.
absl::StatusOr<HttpReply> HttpGet(const std::string& url, absl::Duration timeout);

// What an answer must be like.
struct HttpExpectation {
  int status = 0;                                // 0: any 2xx
  std::string contains = {};                     // in the body
  std::map<std::string, std::string> json = {};  // top-level members of the body, compared as text
};

// FAILED_PRECONDITION: it answered otherwise; the message has what came and what was expected.
absl::Status HttpProbe(const std::string& url, const HttpExpectation& expected,
                       absl::Duration timeout);

// Accepts "host:port" and "[::1]:port". UNAVAILABLE: no connection, with the reason.
absl::Status TcpProbe(const std::string& address, absl::Duration timeout);

// Proves by the body of its answer what runs there; `names` = "": nothing to prove.
// FAILED_PRECONDITION: it answers, and names something else; else as HttpGet.
absl::Status ProbeNamed(const std::string& http, const std::string& names, absl::Duration timeout);

// What a service is to answer while it is well: `http` with 2xx, `tcp` at all. "" = not asked.
absl::Status ProbeService(const std::string& http, const std::string& tcp, absl::Duration timeout);

}  // namespace slipway::agent
