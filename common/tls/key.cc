#include "common/tls/key.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "common/tls/openssl.h"

namespace slipway::tls {
namespace {

absl::StatusOr<std::string> PublicDer(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  if (size <= 0) return OpensslError("cannot write a public key");
  std::string bytes(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return bytes;
}

}  // namespace

absl::StatusOr<std::string> MakeKey() {
  const KeyPtr key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  if (!key) return OpensslError("cannot make a key");
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) !=
      1) {
    return OpensslError("cannot write a private key");
  }
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

absl::StatusOr<std::string> MakeRequest(std::string_view key_pem) {
  SLIPWAY_ASSIGN_OR_RETURN(const KeyPtr key, KeyFromPem(key_pem));
  const RequestPtr request(X509_REQ_new());
  if (!request || X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) != 1 ||
      X509_REQ_set_pubkey(request.get(), key.get()) != 1 ||
      X509_REQ_sign(request.get(), key.get(), EVP_sha256()) <= 0) {
    return OpensslError("cannot make a certificate request");
  }
  unsigned char* der = nullptr;
  const int size = i2d_X509_REQ(request.get(), &der);
  if (size <= 0) return OpensslError("cannot write a certificate request");
  std::string bytes(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return bytes;
}

absl::StatusOr<std::string> PublicKeyOfRequest(std::string_view request_der) {
  if (request_der.size() > kRequestBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("the certificate request is larger than ", kRequestBytesMax, " bytes"));
  }
  auto* at = reinterpret_cast<const unsigned char*>(request_der.data());
  const auto* end = at + request_der.size();
  const RequestPtr request(d2i_X509_REQ(nullptr, &at, static_cast<long>(request_der.size())));
  ERR_clear_error();
  if (!request || at != end)
    return absl::InvalidArgumentError("the certificate request is not readable");
  EVP_PKEY* const key = X509_REQ_get0_pubkey(request.get());
  SLIPWAY_RETURN_IF_ERROR(CheckIsP256(key));
  const bool owns_key = X509_REQ_verify(request.get(), key) == 1;
  ERR_clear_error();
  if (!owns_key)
    return absl::InvalidArgumentError("the certificate request is not signed by its own key");
  return PublicDer(key);
}

absl::StatusOr<std::string> PublicKeyOf(std::string_view key_pem) {
  SLIPWAY_ASSIGN_OR_RETURN(const KeyPtr key, KeyFromPem(key_pem));
  return PublicDer(key.get());
}

}  // namespace slipway::tls
