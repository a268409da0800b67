// What an operator hands to a new host: where to go, whom to trust there, and a secret.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace slipway::tls {

// As text: "swt1." and base64url of address, pin, host and secret, one after another, each ended by
// a line feed. The host checks the pin before it shows the secret to anyone.
struct EnrolmentToken {
  std::string address;  // host:port of the enrolment listener
  std::string ca_pin;   // SpkiPin of the root
  std::string host;     // the only name that the token is good for
  std::string secret;   // 256 random bits, base64url
  bool operator==(const EnrolmentToken&) const = default;
};

std::string Format(const EnrolmentToken& token);
// INVALID_ARGUMENT; the message never repeats the text.
absl::StatusOr<EnrolmentToken> ParseEnrolmentToken(std::string_view text);

// A new secret, and the only form in which it is stored: "sha256:" and hex digits.
absl::StatusOr<std::string> MakeSecret();
std::string HashOfSecret(std::string_view secret);

}  // namespace slipway::tls
