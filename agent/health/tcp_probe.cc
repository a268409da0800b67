#include "absl/strings/str_cat.h"
#include "agent/health/connection.h"
#include "agent/health/probe.h"
#include "common/clock.h"
#include "common/status_macros.h"

namespace slipway::agent {

absl::Status TcpProbe(const std::string& address, absl::Duration timeout) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == address.size()) {
    return absl::InvalidArgumentError(absl::StrCat(address, " is not host:port"));
  }
  std::string host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  const auto connection =
      Connection::Open(host, address.substr(colon + 1), SystemClock().Monotonic() + timeout);
  if (connection.ok()) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(address, ": ", connection.status().message()));
}

}  // namespace slipway::agent
