#include "common/tls/issue.h"

#include <arpa/inet.h>
#include <openssl/err.h>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "common/tls/key.h"
#include "common/tls/openssl.h"

namespace slipway::tls {
namespace {

absl::Status SetSerial(X509* certificate) {
  const BignumPtr serial(BN_new());
  if (!serial || BN_rand(serial.get(), 159, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) != 1 ||
      BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(certificate)) == nullptr) {
    return OpensslError("cannot make a serial number");
  }
  return absl::OkStatus();
}

// `value` is written in OpenSSL's configuration language, so it is always a constant of this file.
absl::Status AddExtension(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  if (!extension || X509_add_ext(certificate, extension.get(), -1) != 1) {
    return OpensslError("cannot add an extension");
  }
  return absl::OkStatus();
}

absl::Status AddName(GENERAL_NAMES* names, int type, std::string_view value) {
  GENERAL_NAME* const name = GENERAL_NAME_new();
  ASN1_STRING* const text = type == GEN_IPADD ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();
  if (name == nullptr || text == nullptr ||
      ASN1_STRING_set(text, value.data(), static_cast<int>(value.size())) != 1) {
    return OpensslError("cannot make a subject alternative name");
  }
  GENERAL_NAME_set0_value(name, type, text);
  if (sk_GENERAL_NAME_push(names, name) <= 0) return OpensslError("cannot add a name");
  return absl::OkStatus();
}

absl::Status AddHost(GENERAL_NAMES* names, const std::string& host) {
  unsigned char address[16];
  if (::inet_pton(AF_INET, host.c_str(), address) == 1) {
    return AddName(names, GEN_IPADD, {reinterpret_cast<char*>(address), 4});
  }
  if (::inet_pton(AF_INET6, host.c_str(), address) == 1) {
    return AddName(names, GEN_IPADD, {reinterpret_cast<char*>(address), 16});
  }
  return AddName(names, GEN_DNS, host);
}

absl::Status AddNames(X509* certificate, const CertificateSpec& spec) {
  if (spec.uris.empty() && spec.hosts.empty()) return absl::OkStatus();
  const GeneralNamesPtr names(sk_GENERAL_NAME_new_null());
  for (const auto& uri : spec.uris) SLIPWAY_RETURN_IF_ERROR(AddName(names.get(), GEN_URI, uri));
  for (const auto& host : spec.hosts) SLIPWAY_RETURN_IF_ERROR(AddHost(names.get(), host));
  if (X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) !=
      1) {
    return OpensslError("cannot add the names");
  }
  return absl::OkStatus();
}

const char* UsageOf(Use use) {
  switch (use) {
    case Use::client:
      return "clientAuth";
    case Use::server:
      return "serverAuth";
    case Use::client_and_server:
      return "serverAuth,clientAuth";
  }
  return "clientAuth";
}

absl::Status AddExtensions(X509* certificate, X509* issuer, const CertificateSpec& spec) {
  const std::string constraints =
      spec.ca ? absl::StrCat("critical,CA:TRUE,pathlen:", spec.path_length) : "critical,CA:FALSE";
  SLIPWAY_RETURN_IF_ERROR(
      AddExtension(certificate, issuer, NID_basic_constraints, constraints.c_str()));
  SLIPWAY_RETURN_IF_ERROR(
      AddExtension(certificate, issuer, NID_key_usage,
                   spec.ca ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature"));
  if (!spec.any_use) {
    SLIPWAY_RETURN_IF_ERROR(
        AddExtension(certificate, issuer, NID_ext_key_usage, UsageOf(spec.use)));
  }
  SLIPWAY_RETURN_IF_ERROR(AddExtension(certificate, issuer, NID_subject_key_identifier, "hash"));
  SLIPWAY_RETURN_IF_ERROR(
      AddExtension(certificate, issuer, NID_authority_key_identifier, "keyid:always"));
  return AddNames(certificate, spec);
}

absl::StatusOr<CertificatePtr> Unsigned(const CertificateSpec& spec,
                                        std::string_view public_key_der) {
  auto* at = reinterpret_cast<const unsigned char*>(public_key_der.data());
  const KeyPtr key(d2i_PUBKEY(nullptr, &at, static_cast<long>(public_key_der.size())));
  if (!key) return OpensslError("cannot read a public key");

  CertificatePtr certificate(X509_new());
  if (!certificate || X509_set_version(certificate.get(), X509_VERSION_3) != 1 ||
      X509_set_pubkey(certificate.get(), key.get()) != 1) {
    return OpensslError("cannot make a certificate");
  }
  SLIPWAY_RETURN_IF_ERROR(SetSerial(certificate.get()));
  if (ASN1_TIME_set(X509_getm_notBefore(certificate.get()), absl::ToTimeT(spec.not_before)) ==
          nullptr ||
      ASN1_TIME_set(X509_getm_notAfter(certificate.get()), absl::ToTimeT(spec.not_after)) ==
          nullptr) {
    return OpensslError("cannot set a certificate's life");
  }
  X509_NAME* const name = X509_get_subject_name(certificate.get());
  const auto* text = reinterpret_cast<const unsigned char*>(spec.common_name.data());
  // A common name holds 64 characters at most; longer ones are cut, since nothing decides by it.
  const int size = static_cast<int>(std::min<std::size_t>(spec.common_name.size(), 64));
  if (X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, text, size, -1, 0) != 1) {
    return OpensslError("cannot set a certificate's name");
  }
  return certificate;
}

absl::StatusOr<std::string> Sign(X509* certificate, X509* issuer, EVP_PKEY* key,
                                 const CertificateSpec& spec) {
  if (X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) != 1) {
    return OpensslError("cannot set a certificate's issuer");
  }
  SLIPWAY_RETURN_IF_ERROR(AddExtensions(certificate, issuer, spec));
  if (X509_sign(certificate, key, EVP_sha256()) <= 0)
    return OpensslError("cannot sign a certificate");
  return PemOf(certificate);
}

}  // namespace

absl::StatusOr<std::string> Issue(const CertificateSpec& spec, std::string_view public_key_der,
                                  const Issuer& issuer) {
  SLIPWAY_ASSIGN_OR_RETURN(const CertificatePtr certificate, Unsigned(spec, public_key_der));
  SLIPWAY_ASSIGN_OR_RETURN(const CertificatePtr signer, CertificateFromPem(issuer.certificate_pem));
  SLIPWAY_ASSIGN_OR_RETURN(const KeyPtr key, KeyFromPem(issuer.key_pem));
  return Sign(certificate.get(), signer.get(), key.get(), spec);
}

absl::StatusOr<std::string> IssueSelfSigned(const CertificateSpec& spec, std::string_view key_pem) {
  SLIPWAY_ASSIGN_OR_RETURN(const std::string public_key, PublicKeyOf(key_pem));
  SLIPWAY_ASSIGN_OR_RETURN(const CertificatePtr certificate, Unsigned(spec, public_key));
  SLIPWAY_ASSIGN_OR_RETURN(const KeyPtr key, KeyFromPem(key_pem));
  return Sign(certificate.get(), certificate.get(), key.get(), spec);
}

}  // namespace slipway::tls
