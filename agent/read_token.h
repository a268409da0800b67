// An enrolment token from a file or from standard input. Never from the command line: other users
// of the machine can read that.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "common/tls/enrolment_token.h"

namespace slipway::agent {

// `path` "-": one line from standard input. Errors: those of the file; INVALID_ARGUMENT.
absl::StatusOr<tls::EnrolmentToken> ReadToken(const std::string& path);

}  // namespace slipway::agent
