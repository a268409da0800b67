#include "agent/read_token.h"

#include <iostream>

#include "common/status_macros.h"
#include "common/tls/pem_file.h"

namespace slipway::agent {

absl::StatusOr<tls::EnrolmentToken> ReadToken(const std::string& path) {
  std::string text;
  if (path == "-") {
    std::getline(std::cin, text);
  } else {
    SLIPWAY_ASSIGN_OR_RETURN(text, tls::ReadFile(path));
  }
  return tls::ParseEnrolmentToken(text);
}

}  // namespace slipway::agent
