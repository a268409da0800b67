#include "common/tls/openssl.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "absl/strings/str_cat.h"

namespace slipway::tls {
namespace {

BioPtr ReaderOf(std::string_view text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string TextParameter(EVP_PKEY* key, const char* name) {
  char text[64] = {};
  std::size_t size = 0;
  if (EVP_PKEY_get_utf8_string_param(key, name, text, sizeof text, &size) != 1) return "";
  return std::string(text, size);
}

}  // namespace

absl::Status OpensslError(const char* what) {
  char reason[160] = "no reason given";
  if (const unsigned long code = ERR_peek_last_error(); code != 0) {
    ERR_error_string_n(code, reason, sizeof reason);
  }
  ERR_clear_error();
  return absl::InternalError(absl::StrCat(what, ": ", reason));
}

absl::StatusOr<KeyPtr> KeyFromPem(std::string_view pem) {
  const BioPtr bio = ReaderOf(pem);
  // Never asks for a pass phrase on a terminal.
  const auto no_pass_phrase = [](char*, int, int, void*) { return -1; };
  KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_pass_phrase, nullptr));
  if (!key) {
    ERR_clear_error();
    return absl::InvalidArgumentError("not a private key in PEM without pass phrase");
  }
  return key;
}

absl::StatusOr<CertificatePtr> CertificateFromPem(std::string_view pem) {
  const BioPtr bio = ReaderOf(pem);
  CertificatePtr certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  if (!certificate) {
    ERR_clear_error();
    return absl::InvalidArgumentError("not a certificate in PEM");
  }
  return certificate;
}

absl::StatusOr<std::string> PemOf(X509* certificate) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509(bio.get(), certificate) != 1)
    return OpensslError("cannot write a certificate");
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

absl::Status CheckIsP256(EVP_PKEY* key) {
  const bool good = key != nullptr && EVP_PKEY_is_a(key, "EC") == 1 &&
                    TextParameter(key, OSSL_PKEY_PARAM_GROUP_NAME) == "prime256v1" &&
                    TextParameter(key, OSSL_PKEY_PARAM_EC_ENCODING) == OSSL_PKEY_EC_ENCODING_GROUP;
  ERR_clear_error();
  if (good) return absl::OkStatus();
  return absl::InvalidArgumentError("the key is not on the named curve P-256; make a new one");
}

}  // namespace slipway::tls
