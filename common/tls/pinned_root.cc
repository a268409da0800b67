#include "common/tls/pinned_root.h"

#include <openssl/err.h>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "common/tls/openssl.h"
#include "common/tls/verify.h"

namespace slipway::tls {

absl::StatusOr<std::string> FetchPinnedRoot(const std::string& address, const std::string& ca_pin,
                                            absl::Duration timeout) {
  const SslContextPtr context(SSL_CTX_new(TLS_client_method()));
  if (!context) return OpensslError("cannot prepare TLS");
  // The pin below is the verification.
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);

  const BioPtr connection(BIO_new_ssl_connect(context.get()));
  if (!connection) return OpensslError("cannot prepare a connection");
  SSL* ssl = nullptr;
  BIO_get_ssl(connection.get(), &ssl);
  constexpr unsigned char kHttp2[] = {2, 'h', '2'};
  SSL_set_alpn_protos(ssl, kHttp2, sizeof kHttp2);
  BIO_set_conn_hostname(connection.get(), address.c_str());
  if (BIO_do_connect_retry(connection.get(), static_cast<int>(absl::ToInt64Seconds(timeout)), 20) <=
      0) {
    ERR_clear_error();
    return absl::UnavailableError(
        absl::StrCat("no TLS answer from ", address, "; is this the enrolment address?"));
  }
  const STACK_OF(X509)* chain = SSL_get_peer_cert_chain(ssl);
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    SLIPWAY_ASSIGN_OR_RETURN(std::string pem, PemOf(sk_X509_value(chain, i)));
    SLIPWAY_ASSIGN_OR_RETURN(const std::string pin, SpkiPin(pem));
    if (pin == ca_pin) return pem;
  }
  return absl::UnauthenticatedError(absl::StrCat(
      "the server at ", address, " is not the one that made this token; nothing was sent to it"));
}

}  // namespace slipway::tls
