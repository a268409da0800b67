// Making certificates. Every field is the issuer's choice; nothing is taken from a request but
// the public key.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace slipway::tls {

enum class Use { client, server, client_and_server };

struct CertificateSpec {
  std::string common_name;         // for people; nothing decides by it
  std::vector<std::string> uris;   // URI SANs
  std::vector<std::string> hosts;  // DNS or IP SANs
  bool ca = false;
  int path_length = 0;   // CAs below this one; only with `ca`
  bool any_use = false;  // no extended key usage at all (a root)
  Use use = Use::client;
  absl::Time not_before;
  absl::Time not_after;
};

// Certificate and key of an issuer.
struct Issuer {
  std::string certificate_pem;
  std::string key_pem;
};

// A certificate over `public_key_der`, PEM. The serial number is random (159 bits).
absl::StatusOr<std::string> Issue(const CertificateSpec& spec, std::string_view public_key_der,
                                  const Issuer& issuer);

// A certificate over the public half of `key_pem`, signed by itself, PEM.
absl::StatusOr<std::string> IssueSelfSigned(const CertificateSpec& spec, std::string_view key_pem);

}  // namespace slipway::tls
