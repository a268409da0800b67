#include "tests/hostile/rude_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"

namespace slipway::test {
namespace {

constexpr int kStuckMs = 5'000;
constexpr absl::Duration kCloseWithin = absl::Seconds(30);

// HPACK's integers with a prefix of seven bits.
std::string Length(std::size_t value) {
  if (value < 127) return {static_cast<char>(value)};
  std::string bytes = {127};
  for (value -= 127; value >= 128; value /= 128) bytes += static_cast<char>(value % 128 + 128);
  return bytes + static_cast<char>(value);
}

void UseMaterial(SSL_CTX* context, const tls::KeyMaterial& material) {
  BIO* chain = BIO_new_mem_buf(material.certificate_pem.data(),
                               static_cast<int>(material.certificate_pem.size()));
  X509* leaf = PEM_read_bio_X509(chain, nullptr, nullptr, nullptr);
  SSL_CTX_use_certificate(context, leaf);
  X509_free(leaf);
  while (X509* const next = PEM_read_bio_X509(chain, nullptr, nullptr, nullptr)) {
    SSL_CTX_add_extra_chain_cert(context, next);
  }
  BIO_free(chain);
  BIO* text = BIO_new_mem_buf(material.key_pem.data(), static_cast<int>(material.key_pem.size()));
  EVP_PKEY* key = PEM_read_bio_PrivateKey(text, nullptr, nullptr, nullptr);
  SSL_CTX_use_PrivateKey(context, key);
  EVP_PKEY_free(key);
  BIO_free(text);
}

}  // namespace

std::string Number(std::uint64_t value, int size) {
  std::string bytes;
  for (int i = size - 1; i >= 0; --i) bytes += static_cast<char>(value >> (8 * i));
  return bytes;
}

std::string Frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
                  std::string_view payload) {
  std::string frame =
      Number(payload.size(), 3) + Number(type, 1) + Number(flags, 1) + Number(stream, 4);
  frame += payload;
  return frame;
}

std::string Field(std::string_view name, std::string_view value) {
  std::string field(1, '\0');  // a literal that no table is to keep
  field += Length(name.size());
  field += name;
  field += Length(value.size());
  field += value;
  return field;
}

std::string CallOf(std::string_view method) {
  return Field(":method", "POST") + Field(":scheme", "https") + Field(":path", method) +
         Field(":authority", "localhost") + Field("content-type", "application/grpc") +
         Field("te", "trailers");
}

std::string Preface() {
  return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + Frame(kSettings, 0, 0, "");
}

int ConnectTo(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return fd;
  close(fd);
  return -1;
}

struct RudeClient::Tls {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL* ssl = nullptr;
  int fd = -1;
  ~Tls() {
    SSL_free(ssl);
    SSL_CTX_free(context);
    if (fd >= 0) close(fd);
  }
};

RudeClient::RudeClient(int port, const tls::KeyMaterial& material) : tls_(std::make_unique<Tls>()) {
  if (!material.certificate_pem.empty()) UseMaterial(tls_->context, material);
  constexpr unsigned char kProtocols[] = {2, 'h', '2'};
  SSL_CTX_set_alpn_protos(tls_->context, kProtocols, sizeof kProtocols);
  SSL_CTX_set_mode(tls_->context,
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  tls_->fd = ConnectTo(port);
  if (tls_->fd < 0) return;
  const timeval patience{20, 0};
  setsockopt(tls_->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  tls_->ssl = SSL_new(tls_->context);
  SSL_set_tlsext_host_name(tls_->ssl, "localhost");
  SSL_set_fd(tls_->ssl, tls_->fd);
  connected_ = SSL_connect(tls_->ssl) == 1;
}

RudeClient::~RudeClient() = default;

bool RudeClient::Drain() {
  char buffer[16 << 10];
  pollfd readable{tls_->fd, POLLIN, 0};
  while (SSL_pending(tls_->ssl) > 0 || poll(&readable, 1, 0) > 0) {
    if (SSL_read(tls_->ssl, buffer, sizeof buffer) <= 0) return false;
  }
  return true;
}

bool RudeClient::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    if (!Drain()) return false;
    pollfd writable{tls_->fd, POLLOUT, 0};
    if (poll(&writable, 1, kStuckMs) <= 0) return false;
    const int sent = SSL_write(tls_->ssl, bytes.data(),
                               static_cast<int>(std::min<std::size_t>(bytes.size(), 16 << 10)));
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool RudeClient::AwaitClose() {
  const absl::Duration give_up = SystemClock().Monotonic() + kCloseWithin;
  while (SystemClock().Monotonic() < give_up) {
    pollfd readable{tls_->fd, POLLIN, 0};
    if (poll(&readable, 1, 100) > 0 && !Drain()) return true;
  }
  return false;
}

}  // namespace slipway::test
