// Makes this host part of a fleet.
#pragma once

#include <map>
#include <string>

#include "absl/status/status.h"
#include "common/tls/enrolment_token.h"

namespace slipway::agent {

struct EnrolOrder {
  std::string dir;  // made when absent (0700)
  tls::EnrolmentToken token;
  std::map<std::string, std::string> labels;  // the agent's own
  bool again = false;                         // replace an identity that is there
};

// Makes a key, proves the controller by the token's pin, and trades the token for a certificate.
// When the answer was lost, the same call with the same token gets it again.
//
// Errors: FAILED_PRECONDITION: enrolled already; UNAVAILABLE: nobody answers; UNAUTHENTICATED: not
// the controller that made the token, or the token is of no use.
absl::Status Enrol(const EnrolOrder& order);

}  // namespace slipway::agent
