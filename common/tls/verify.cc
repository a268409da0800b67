#include "common/tls/verify.h"

#include <openssl/err.h>
#include <openssl/sha.h>

#include <optional>
#include <unordered_map>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/mutex.h"
#include "common/status_macros.h"
#include "common/tls/enrolment_token.h"
#include "common/tls/openssl.h"

namespace slipway::tls {
namespace {

absl::Status Refused(const char* why) {
  ERR_clear_error();
  return absl::UnauthenticatedError(absl::StrCat("certificate refused: ", why));
}

struct Names {
  std::vector<std::string> uris;
  bool hosts = false;
  bool others = false;
};

Names NamesOf(X509* certificate) {
  Names names;
  // -2: the extension stands twice, which is as odd as a name of an unknown sort.
  int critical = 0;
  const GeneralNamesPtr list(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, &critical, nullptr)));
  if (!list) {
    names.others = critical == -2;
    return names;
  }
  for (int i = 0; i < sk_GENERAL_NAME_num(list.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(list.get(), i);
    if (name->type == GEN_URI) {
      const ASN1_IA5STRING* text = name->d.uniformResourceIdentifier;
      names.uris.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                              static_cast<std::size_t>(ASN1_STRING_length(text)));
    } else if (name->type == GEN_DNS || name->type == GEN_IPADD) {
      names.hosts = true;
    } else {
      names.others = true;
    }
  }
  return names;
}

std::string DigestOf(std::string_view text) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  return {reinterpret_cast<char*>(digest), sizeof digest};
}

absl::StatusOr<absl::Time> TimeOf(const ASN1_TIME* time) {
  struct tm parts = {};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return OpensslError("cannot read a certificate's life");
  return absl::FromTM(parts, absl::UTCTimeZone());
}

bool IsGoodAt(X509* certificate, absl::Time now) {
  time_t at = absl::ToTimeT(now);
  return X509_cmp_time(X509_get0_notBefore(certificate), &at) < 0 &&
         X509_cmp_time(X509_get0_notAfter(certificate), &at) > 0;
}

bool MayBeClient(X509* certificate) {
  const std::uint32_t flags = X509_get_extension_flags(certificate);
  return (flags & EXFLAG_XKUSAGE) != 0 &&
         (X509_get_extended_key_usage(certificate) & XKU_SSL_CLIENT) != 0 &&
         (X509_get_key_usage(certificate) & KU_DIGITAL_SIGNATURE) != 0;
}

absl::StatusOr<std::string> FingerprintOf(X509* certificate) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  if (X509_digest(certificate, EVP_sha256(), digest, nullptr) != 1) {
    return OpensslError("cannot hash a certificate");
  }
  return absl::StrCat("sha256:",
                      absl::BytesToHexString({reinterpret_cast<char*>(digest), sizeof digest}));
}

bool IsSignedBy(X509* certificate, X509* issuer) {
  const bool good = X509_check_issued(issuer, certificate) == X509_V_OK &&
                    X509_verify(certificate, X509_get0_pubkey(issuer)) == 1;
  ERR_clear_error();
  return good;
}

}  // namespace

// Certificates that were found good, by the digest of their text. A peer with one good certificate
// opens and drops calls by the thousand in a second: to read and verify it for each of them costs a
// millisecond for which all other peers wait.
class PeerVerifier::Known {
 public:
  struct Entry {
    VerifiedPeer peer;
    absl::Time from;
  };

  explicit Known(std::size_t entries_max) : entries_max_(entries_max) {}

  std::optional<VerifiedPeer> Find(const std::string& digest, absl::Time now) const {
    MutexLock lock(mu_);
    const auto found = entries_.find(digest);
    if (found == entries_.end() || now < found->second.from || now >= found->second.peer.expires) {
      return std::nullopt;
    }
    return found->second.peer;
  }
  // Only the authority makes good certificates: nobody else can push others out.
  void Add(const std::string& digest, Entry entry) {
    MutexLock lock(mu_);
    if (entries_.size() >= entries_max_) entries_.clear();
    entries_[digest] = std::move(entry);
  }
  void CountExamined() {
    MutexLock lock(mu_);
    ++examined_;
  }
  std::uint64_t examined() const {
    MutexLock lock(mu_);
    return examined_;
  }

 private:
  const std::size_t entries_max_;
  mutable Mutex mu_;
  std::unordered_map<std::string, Entry> entries_ ABSL_GUARDED_BY(mu_);
  std::uint64_t examined_ ABSL_GUARDED_BY(mu_) = 0;
};

struct PeerVerifier::Impl {
  explicit Impl(std::size_t known_max) : known(known_max) {}

  std::string trust_domain;
  std::map<Kind, CertificatePtr> issuers;
  mutable Known known;
};

PeerVerifier::PeerVerifier(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PeerVerifier::PeerVerifier(PeerVerifier&&) noexcept = default;
PeerVerifier::~PeerVerifier() = default;

absl::StatusOr<PeerVerifier> PeerVerifier::Create(const TrustAnchors& anchors,
                                                  std::size_t known_max) {
  auto impl = std::make_unique<Impl>(known_max);
  impl->trust_domain = anchors.trust_domain;
  SLIPWAY_ASSIGN_OR_RETURN(const CertificatePtr root, CertificateFromPem(anchors.root_pem));
  for (const auto& [kind, pem] : anchors.intermediate_pem) {
    SLIPWAY_ASSIGN_OR_RETURN(CertificatePtr issuer, CertificateFromPem(pem));
    if (!IsSignedBy(issuer.get(), root.get())) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the intermediate of ", std::string(ToString(kind)), "s is not signed by the root"));
    }
    impl->issuers[kind] = std::move(issuer);
  }
  return PeerVerifier(std::move(impl));
}

absl::StatusOr<Identity> PeerVerifier::Identify(std::string_view leaf_pem, absl::Time now) const {
  SLIPWAY_ASSIGN_OR_RETURN(VerifiedPeer peer, Verify(leaf_pem, now));
  return std::move(peer.identity);
}

// OpenSSL 3.0 looks for a decoder for each certificate that it reads, which costs more than the
// reading: all that anybody wants to know of this one is taken from it here.
absl::StatusOr<VerifiedPeer> PeerVerifier::Verify(std::string_view leaf_pem, absl::Time now) const {
  const std::string digest = DigestOf(leaf_pem);
  if (auto known = impl_->known.Find(digest, now)) return *std::move(known);
  impl_->known.CountExamined();
  const auto leaf = CertificateFromPem(leaf_pem);
  if (!leaf.ok()) return Refused("it cannot be read");
  VerifiedPeer peer;
  SLIPWAY_ASSIGN_OR_RETURN(peer.identity, Examine(leaf->get(), now));
  SLIPWAY_ASSIGN_OR_RETURN(peer.fingerprint, FingerprintOf(leaf->get()));
  SLIPWAY_ASSIGN_OR_RETURN(peer.expires, TimeOf(X509_get0_notAfter(leaf->get())));
  SLIPWAY_ASSIGN_OR_RETURN(const absl::Time from, TimeOf(X509_get0_notBefore(leaf->get())));
  impl_->known.Add(digest, {peer, from});
  return peer;
}

std::uint64_t PeerVerifier::examined() const {
  return impl_->known.examined();
}

absl::StatusOr<Identity> PeerVerifier::Examine(x509_st* certificate, absl::Time now) const {
  if (X509_get_version(certificate) != X509_VERSION_3) return Refused("it is not of version 3");
  if (X509_check_ca(certificate) != 0) return Refused("it is that of an authority");

  std::optional<Kind> kind;
  for (const auto& [candidate, issuer] : impl_->issuers) {
    if (IsSignedBy(certificate, issuer.get())) kind = candidate;
  }
  if (!kind) return Refused("another authority issued it");
  if (!IsGoodAt(certificate, now)) return Refused("it has expired or is not yet good");
  if (!MayBeClient(certificate)) return Refused("it is not for clients");

  const Names names = NamesOf(certificate);
  if (names.uris.size() != 1) return Refused("it does not have exactly one URI");
  if (names.others) return Refused("it has names of an unknown sort");
  if (names.hosts && *kind != Kind::controller) return Refused("it has the names of a server");
  const auto identity = ParseUri(names.uris.front());
  if (!identity.ok()) return Refused("its URI is not slipway://<trust domain>/<kind>/<name>");
  if (identity->kind != *kind) return Refused("its URI and its issuer differ about the kind");
  if (identity->trust_domain != impl_->trust_domain)
    return Refused("it is of another trust domain");
  return *identity;
}

absl::StatusOr<std::string> TrustDomainOf(std::string_view root_pem) {
  SLIPWAY_ASSIGN_OR_RETURN(const CertificatePtr root, CertificateFromPem(root_pem));
  const Names names = NamesOf(root.get());
  constexpr std::string_view kScheme = "slipway://";
  if (names.uris.size() != 1 || names.uris[0].substr(0, kScheme.size()) != kScheme) {
    return absl::InvalidArgumentError("the root certificate names no trust domain");
  }
  std::string domain = names.uris[0].substr(kScheme.size());
  SLIPWAY_RETURN_IF_ERROR(CheckName("trust domain", domain));
  return domain;
}

absl::StatusOr<std::string> SpkiPin(std::string_view certificate_pem) {
  SLIPWAY_ASSIGN_OR_RETURN(const CertificatePtr certificate, CertificateFromPem(certificate_pem));
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate.get()), &der);
  if (size <= 0) return OpensslError("cannot write a public key");
  const std::string pin =
      HashOfSecret({reinterpret_cast<char*>(der), static_cast<std::size_t>(size)});
  OPENSSL_free(der);
  return pin;
}

absl::StatusOr<std::string> FingerprintOf(std::string_view pem) {
  SLIPWAY_ASSIGN_OR_RETURN(const CertificatePtr certificate, CertificateFromPem(pem));
  return FingerprintOf(certificate.get());
}

absl::StatusOr<std::string> SerialOf(std::string_view pem) {
  SLIPWAY_ASSIGN_OR_RETURN(const CertificatePtr certificate, CertificateFromPem(pem));
  const BignumPtr number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate.get()), nullptr));
  char* const hex = number ? BN_bn2hex(number.get()) : nullptr;
  if (hex == nullptr) return OpensslError("cannot read a serial number");
  std::string text(hex);
  OPENSSL_free(hex);
  return text;
}

absl::StatusOr<absl::Time> ExpiryOf(std::string_view pem) {
  SLIPWAY_ASSIGN_OR_RETURN(const CertificatePtr certificate, CertificateFromPem(pem));
  return TimeOf(X509_get0_notAfter(certificate.get()));
}

}  // namespace slipway::tls
