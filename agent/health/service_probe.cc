#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "agent/health/probe.h"
#include "common/status_macros.h"

namespace slipway::agent {
namespace {

// As a word of its own: 2.0 is not in 12.0 and not in 2.0.1.
bool Names(const std::string& body, const std::string& name) {
  const auto part_of_word = [&](std::size_t at) {
    return at < body.size() && absl::ascii_isalnum(static_cast<unsigned char>(body[at]));
  };
  for (std::size_t at = body.find(name); at != std::string::npos; at = body.find(name, at + 1)) {
    const std::size_t end = at + name.size();
    const bool begins = at == 0 || (!part_of_word(at - 1) && body[at - 1] != '.');
    const bool goes_on =
        part_of_word(end) || (end < body.size() && body[end] == '.' && part_of_word(end + 1));
    if (begins && !goes_on) return true;
  }
  return false;
}

}  // namespace

absl::Status ProbeService(const std::string& http, const std::string& tcp, absl::Duration timeout) {
  if (!http.empty()) SLIPWAY_RETURN_IF_ERROR(HttpProbe(http, {}, timeout));
  return tcp.empty() ? absl::OkStatus() : TcpProbe(tcp, timeout);
}

absl::Status ProbeNamed(const std::string& http, const std::string& names, absl::Duration timeout) {
  if (names.empty()) return absl::OkStatus();
  SLIPWAY_ASSIGN_OR_RETURN(const HttpReply reply, HttpGet(http, timeout));
  if (Names(reply.body, names)) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("GET ", http, " does not name version ", names));
}

}  // namespace slipway::agent
