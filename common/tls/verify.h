// Who a peer is, from the certificate that the TLS handshake has verified against the root.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/tls/authority.h"
#include "common/tls/identity.h"

struct x509_st;  // OpenSSL's X509

namespace slipway::tls {

// What a certificate says that was found good.
struct VerifiedPeer {
  Identity identity;
  std::string fingerprint;  // as FingerprintOf
  absl::Time expires;
};

// Thread-safe.
class PeerVerifier {
 public:
  // INVALID_ARGUMENT when an intermediate is not signed by the root.
  // Remembers up to `known_max` certificates that it found good: those of a large fleet.
  static absl::StatusOr<PeerVerifier> Create(const TrustAnchors& anchors,
                                             std::size_t known_max = 20'000);
  PeerVerifier(PeerVerifier&&) noexcept;
  ~PeerVerifier();

  // Who is behind a leaf certificate. The kind is that of the intermediate that signed it,
  // and the URI must say the same. Does not depend on the chain that the peer sent, which a
  // resumed session no longer has. A certificate that was found good is not read again while it
  // lasts.
  //
  // Errors: UNAUTHENTICATED, with the reason, for anything odd: another issuer, expired, a CA, more
  // or fewer than one URI, names of another sort, a use that is not the client's, another domain.
  absl::StatusOr<VerifiedPeer> Verify(std::string_view leaf_pem, absl::Time now) const;
  // The identity of it.
  absl::StatusOr<Identity> Identify(std::string_view leaf_pem, absl::Time now) const;

  // How many certificates were read and verified in full.
  std::uint64_t examined() const;

 private:
  struct Impl;
  class Known;
  absl::StatusOr<Identity> Examine(x509_st* certificate, absl::Time now) const;
  explicit PeerVerifier(std::unique_ptr<Impl> impl);
  std::unique_ptr<const Impl> impl_;
};

// The trust domain that a root certificate names.
absl::StatusOr<std::string> TrustDomainOf(std::string_view root_pem);

// "sha256:" and 64 hex digits over the certificate's SubjectPublicKeyInfo.
absl::StatusOr<std::string> SpkiPin(std::string_view certificate_pem);

// "sha256:" and 64 hex digits over all bytes of the first certificate of `pem`.
absl::StatusOr<std::string> FingerprintOf(std::string_view pem);

// Its serial number, hex.
absl::StatusOr<std::string> SerialOf(std::string_view pem);

// When the first certificate of `pem` ceases to be good.
absl::StatusOr<absl::Time> ExpiryOf(std::string_view pem);

}  // namespace slipway::tls
