// Private keys and certificate requests. Keys are made where they are used and never travel.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace slipway::tls {

inline constexpr std::size_t kRequestBytesMax = 8 * 1024;

// A new P-256 key, PKCS#8 PEM without pass phrase.
absl::StatusOr<std::string> MakeKey();

// A certificate request that carries the public half of `key_pem` and nothing else, DER.
absl::StatusOr<std::string> MakeRequest(std::string_view key_pem);

// The public key of a request, as SubjectPublicKeyInfo DER. Whatever else the request asks for is
// dropped here. Errors: INVALID_ARGUMENT: larger than kRequestBytesMax, unreadable, followed by
// other bytes, not signed by its own key, or not on P-256.
absl::StatusOr<std::string> PublicKeyOfRequest(std::string_view request_der);

// The public half of a private key, as SubjectPublicKeyInfo DER.
absl::StatusOr<std::string> PublicKeyOf(std::string_view key_pem);

}  // namespace slipway::tls
