#include "agent/health/tls_stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace slipway::agent {
namespace {

constexpr int kRecordBytes = 16 << 10;

using ContextPtr = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;
using SslPtr = std::unique_ptr<SSL, decltype(&SSL_free)>;

absl::Status TlsError(SSL* ssl) {
  const long verdict = SSL_get_verify_result(ssl);
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (verdict != X509_V_OK) {
    return absl::UnavailableError(
        absl::StrCat("its certificate is refused: ", X509_verify_cert_error_string(verdict)));
  }
  const char* reason = ERR_reason_error_string(code);
  return absl::UnavailableError(absl::StrCat("no TLS: ", reason == nullptr ? "it ended" : reason));
}

// OpenSSL reads and writes memory; this moves it from and to the stream below, which knows
// deadlines.
class TlsStream final : public Stream {
 public:
  // Takes over `ssl`, which reads and writes memory.
  TlsStream(Stream& below, SslPtr ssl) : below_(below), ssl_(std::move(ssl)) {}

  absl::Status Handshake() {
    for (;;) {
      const int done = SSL_do_handshake(ssl_.get());
      SLIPWAY_RETURN_IF_ERROR(Flush());
      if (done == 1) return absl::OkStatus();
      if (SSL_get_error(ssl_.get(), done) != SSL_ERROR_WANT_READ) return TlsError(ssl_.get());
      SLIPWAY_RETURN_IF_ERROR(Fill());
    }
  }

  absl::Status Send(std::string_view bytes) override {
    std::size_t written = 0;
    // Into memory: all of it or an error.
    if (SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &written) != 1) {
      return TlsError(ssl_.get());
    }
    return Flush();
  }

  absl::StatusOr<std::string> Receive() override {
    std::string bytes(kRecordBytes, '\0');
    for (;;) {
      const int got = SSL_read(ssl_.get(), bytes.data(), kRecordBytes);
      if (got > 0) {
        bytes.resize(static_cast<std::size_t>(got));
        return bytes;
      }
      const int error = SSL_get_error(ssl_.get(), got);
      if (error == SSL_ERROR_ZERO_RETURN) return std::string();
      if (error != SSL_ERROR_WANT_READ) return TlsError(ssl_.get());
      SLIPWAY_RETURN_IF_ERROR(Flush());
      SLIPWAY_RETURN_IF_ERROR(Fill());
    }
  }

 private:
  absl::Status Flush() {
    char* data = nullptr;
    BIO* const out = SSL_get_wbio(ssl_.get());
    const long size = BIO_get_mem_data(out, &data);
    const absl::Status sent = below_.Send({data, static_cast<std::size_t>(size)});
    BIO_reset(out);
    return sent;
  }

  absl::Status Fill() {
    SLIPWAY_ASSIGN_OR_RETURN(const std::string bytes, below_.Receive());
    BIO* const in = SSL_get_rbio(ssl_.get());
    if (bytes.empty()) BIO_set_mem_eof_return(in, 0);
    BIO_write(in, bytes.data(), static_cast<int>(bytes.size()));
    return absl::OkStatus();
  }

  Stream& below_;
  const SslPtr ssl_;
};

// The certificate is to be for `host`, and a name is asked for by name.
bool Expect(SSL* ssl, const std::string& host) {
  X509_VERIFY_PARAM* const verify = SSL_get0_param(ssl);
  if (X509_VERIFY_PARAM_set1_ip_asc(verify, host.c_str()) == 1) return true;
  ERR_clear_error();
  return SSL_set1_host(ssl, host.c_str()) == 1 && SSL_set_tlsext_host_name(ssl, host.c_str()) == 1;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Stream>> OpenTls(Stream& below, const std::string& host) {
  const ContextPtr context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  if (context == nullptr) return absl::InternalError("OpenSSL cannot be used");
  SSL_CTX_set_default_verify_paths(context.get());
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  // Servers that do not say goodbye are many; a cut answer is seen by its length.
  SSL_CTX_set_options(context.get(), SSL_OP_IGNORE_UNEXPECTED_EOF);
  constexpr unsigned char kHttp1[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  SslPtr ssl(SSL_new(context.get()), SSL_free);
  if (ssl == nullptr || !Expect(ssl.get(), host) ||
      SSL_set_alpn_protos(ssl.get(), kHttp1, sizeof kHttp1) != 0) {
    return absl::InternalError("OpenSSL cannot be used");
  }
  SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_connect_state(ssl.get());
  auto stream = std::make_unique<TlsStream>(below, std::move(ssl));
  SLIPWAY_RETURN_IF_ERROR(stream->Handshake());
  return stream;
}

}  // namespace slipway::agent
