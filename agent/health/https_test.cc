// Probes over TLS: who is believed.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "agent/health/probe.h"
#include "common/clock.h"
#include "common/tls/issue.h"
#include "common/tls/key.h"

namespace slipway::agent {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

// Answers 200 to each connection, with a certificate for `name` from an authority of its own.
class TlsServer {
 public:
  explicit TlsServer(const std::string& name) {
    const std::string key = *tls::MakeKey();
    const tls::Issuer authority{*tls::IssueSelfSigned(Spec("authority", true), key), key};
    const std::string certificate =
        *tls::Issue(Spec(name, false), *tls::PublicKeyOf(key), authority);
    folder_ = testing::TempDir() + "https-XXXXXX";
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
    std::ofstream(key_file()) << key;
    std::ofstream(certificate_file()) << certificate;
    std::ofstream(authority_file()) << authority.certificate_pem;
    SSL_CTX_use_certificate_file(context_, certificate_file().c_str(), SSL_FILETYPE_PEM);
    EXPECT_EQ(SSL_CTX_use_PrivateKey_file(context_, key_file().c_str(), SSL_FILETYPE_PEM), 1);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(fd_, 8), 0);
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  ~TlsServer() {
    shutdown(fd_, SHUT_RDWR);
    thread_.join();
    close(fd_);
    SSL_CTX_free(context_);
    fs::remove_all(folder_);
  }
  std::string authority_file() const { return folder_ + "/authority.pem"; }
  std::string url(const std::string& host) const {
    return "https://" + host + ":" + std::to_string(port_) + "/health";
  }

 private:
  static tls::CertificateSpec Spec(const std::string& name, bool authority) {
    const absl::Time now = SystemClock().Now();
    tls::CertificateSpec spec;
    spec.common_name = name;
    spec.ca = spec.any_use = authority;
    if (!authority) spec.hosts = {name};
    spec.use = tls::Use::server;
    spec.not_before = now - absl::Hours(1);
    spec.not_after = now + absl::Hours(1);
    return spec;
  }
  std::string key_file() const { return folder_ + "/key.pem"; }
  std::string certificate_file() const { return folder_ + "/certificate.pem"; }
  void Serve() {
    for (int client = 0; (client = accept(fd_, nullptr, nullptr)) >= 0; close(client)) {
      SSL* const ssl = SSL_new(context_);
      SSL_set_fd(ssl, client);
      char request[4096];
      if (SSL_accept(ssl) == 1 && SSL_read(ssl, request, sizeof request) > 0) {
        const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwell";
        SSL_write(ssl, answer.data(), static_cast<int>(answer.size()));
        SSL_shutdown(ssl);
      }
      SSL_free(ssl);
    }
  }

  SSL_CTX* const context_ = SSL_CTX_new(TLS_server_method());
  const int fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  std::string folder_;
  int port_ = 0;
  std::thread thread_;
};

// The host's certification authorities, for as long as it lives.
class Trusting {
 public:
  explicit Trusting(const TlsServer& server) {
    setenv("SSL_CERT_FILE", server.authority_file().c_str(), 1);
  }
  ~Trusting() { unsetenv("SSL_CERT_FILE"); }
};

absl::Status Probe(const std::string& url) {
  return HttpProbe(url, {.contains = "well"}, absl::Seconds(30));
}

TEST(HttpsProbe, TrustedCertificateForTheNameOrAddressPasses) {
  const TlsServer by_name("localhost");
  {
    const Trusting trusting(by_name);
    EXPECT_TRUE(Probe(by_name.url("localhost")).ok()) << Probe(by_name.url("localhost"));
  }
  const TlsServer by_address("127.0.0.1");
  const Trusting trusting(by_address);
  EXPECT_TRUE(Probe(by_address.url("127.0.0.1")).ok()) << Probe(by_address.url("127.0.0.1"));
}

TEST(HttpsProbe, CertificateOfNobodyKnownIsRefused) {
  const TlsServer server("localhost");
  const absl::Status status = Probe(server.url("localhost"));
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("certificate is refused: unable to get local issuer"));
}

TEST(HttpsProbe, CertificateForAnotherNameIsRefused) {
  const TlsServer server("elsewhere.example");
  const Trusting trusting(server);
  EXPECT_THAT(std::string(Probe(server.url("127.0.0.1")).message()),
              HasSubstr("certificate is refused: IP address mismatch"));
  EXPECT_THAT(std::string(Probe(server.url("localhost")).message()),
              HasSubstr("certificate is refused: hostname mismatch"));
}

}  // namespace
}  // namespace slipway::agent
