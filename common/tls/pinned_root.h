// First contact of a new host: whom to trust is in its token, but only as a pin.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace slipway::tls {

// Asks the TLS server at `address` (host:port) for its certificates and returns the one whose key
// has the pin, PEM. Sends nothing of the caller's. What this returns is trustworthy, the server is
// not yet: it still has to prove that it holds a certificate below this root.
//
// Errors: UNAVAILABLE: no answer within `timeout`; UNAUTHENTICATED: none of them has the pin, so
// that somebody else answers at this address.
absl::StatusOr<std::string> FetchPinnedRoot(const std::string& address, const std::string& ca_pin,
                                            absl::Duration timeout);

}  // namespace slipway::tls
