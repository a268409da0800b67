// TLS over another stream, as a client that trusts what the host trusts.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "agent/health/connection.h"

namespace slipway::agent {

// Shakes hands over `below`, which outlives the result. The certificate has to be for `host`, a
// name or an IP address, and to lead to one of the host's certification authorities (OpenSSL's
// default places). UNAVAILABLE: it does not, with OpenSSL's reason, or `below` broke.
absl::StatusOr<std::unique_ptr<Stream>> OpenTls(Stream& below, const std::string& host);

}  // namespace slipway::agent
