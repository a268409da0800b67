#include "agent/health/probe.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

namespace slipway::agent {
namespace {

using testing::HasSubstr;

// Gives one answer to each connection, on a port of the kernel's choice, and what follows it again
// and again until nobody listens.
class Server {
 public:
  explicit Server(std::string answer, std::string endless = "")
      : answer_(std::move(answer)), endless_(std::move(endless)) {
    fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
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
  ~Server() {
    shutdown(fd_, SHUT_RDWR);
    thread_.join();
    close(fd_);
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string url() const { return "http://" + address() + "/health"; }

 private:
  void Serve() {
    for (int client = 0; (client = accept(fd_, nullptr, nullptr)) >= 0; close(client)) {
      char request[4096];
      if (answer_.empty() || read(client, request, sizeof request) <= 0) continue;
      bool sent = Send(client, answer_);
      while (sent && !endless_.empty()) sent = Send(client, endless_);
    }
  }

  static bool Send(int client, const std::string& bytes) {
    return send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL) > 0;
  }

  const std::string answer_;
  const std::string endless_;
  int fd_ = -1;
  int port_ = 0;
  std::thread thread_;
};

std::string Answer(int status, const std::string& body) {
  return "HTTP/1.1 " + std::to_string(status) +
         " X\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

absl::Status Probe(const Server& server, const HttpExpectation& expected) {
  return HttpProbe(server.url(), expected, absl::Seconds(5));
}

TEST(HttpProbe, GoodAnswerPasses) {
  const Server server(Answer(200, R"({"version": "2.0.0", "workers": 4})"));
  EXPECT_TRUE(Probe(server, {}).ok());
  const auto status = Probe(
      server,
      {.status = 200, .contains = "workers", .json = {{"version", "2.0.0"}, {"workers", "4"}}});
  EXPECT_TRUE(status.ok()) << status;
}

TEST(HttpProbe, OtherStatusIsTold) {
  const Server server(Answer(503, "busy"));
  const absl::Status status = Probe(server, {});
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(std::string(status.message()),
            "GET " + server.url() + " answered 503, and 2xx was expected");
  EXPECT_TRUE(Probe(server, {.status = 503}).ok());
}

TEST(HttpProbe, OtherVersionIsToldWithBoth) {
  const Server server(Answer(200, R"({"version": "1.0"})"));
  EXPECT_THAT(std::string(Probe(server, {.json = {{"version", "2.0"}}}).message()),
              HasSubstr("answered \"1.0\" as version, and \"2.0\" was expected"));
  EXPECT_THAT(std::string(Probe(server, {.json = {{"build", "7"}}}).message()),
              HasSubstr("answered nothing as build"));
}

TEST(HttpProbe, BodyThatIsNotJsonIsQuoted) {
  const Server server(Answer(200, "<html>"));
  EXPECT_THAT(std::string(Probe(server, {.json = {{"version", "2"}}}).message()),
              HasSubstr("no JSON object but \"<html>\""));
  EXPECT_THAT(std::string(Probe(server, {.contains = "2.0"}).message()),
              HasSubstr("without \"2.0\""));
}

TEST(HttpProbe, NobodyThereIsUnavailable) {
  std::string url;
  {
    const Server server("x");
    url = server.url();
  }
  EXPECT_EQ(HttpProbe(url, {}, absl::Seconds(5)).code(), absl::StatusCode::kUnavailable);
}

TEST(HttpProbe, RedirectIsAnAnswerAndNotFollowed) {
  const Server server(
      "HTTP/1.1 302 X\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
  EXPECT_TRUE(Probe(server, {.status = 302}).ok());
}

TEST(HttpProbe, OtherSchemesAreRefused) {
  EXPECT_EQ(HttpProbe("file:///etc/passwd", {}, absl::Seconds(1)).code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(HttpProbe, UrlsThatCannotBeProbedAreRefused) {
  for (const char* url : {"http://", "http://:80/", "http://127.0.0.1:x/", "http://127.0.0.1:70000",
                          "http://[::1/", "http://a b/", "http://a/\r\nX: y", "http://u:p@a/"}) {
    EXPECT_EQ(HttpProbe(url, {}, absl::Seconds(5)).code(), absl::StatusCode::kInvalidArgument)
        << url;
  }
}

TEST(HttpProbe, OtherProtocolIsTold) {
  const Server server("SSH-2.0-OpenSSH_9.2\r\n");
  const absl::Status status = Probe(server, {});
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("GET " + server.url() + ": the answer is not HTTP"));
}

TEST(HttpProbe, PlainAnswerToTlsIsUnavailable) {
  const Server server(Answer(200, "well"));
  EXPECT_EQ(HttpProbe("https://" + server.address(), {}, absl::Seconds(5)).code(),
            absl::StatusCode::kUnavailable);
}

// The timeout is one over all of the answer, and not one for each piece of it.
TEST(HttpProbe, EndlessAnswerIsCutAtTheTimeout) {
  const Server server("HTTP/1.1 200 OK\r\n\r\n", std::string(10'000, 'x'));
  const absl::Status status = HttpProbe(server.url(), {}, absl::Milliseconds(200));
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr("timed out"));
}

TEST(HttpProbe, HangIsCutAtTheTimeout) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);  // listens and never answers
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  bind(listener, reinterpret_cast<sockaddr*>(&address), size);
  listen(listener, 8);
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  const std::string url = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  EXPECT_EQ(HttpProbe(url, {}, absl::Milliseconds(100)).code(), absl::StatusCode::kUnavailable);
  close(listener);
}

TEST(TcpProbe, ListenerPassesAndItsAbsenceIsTold) {
  std::string address;
  {
    const Server server("");
    address = server.address();
    EXPECT_TRUE(TcpProbe(address, absl::Seconds(5)).ok());
  }
  EXPECT_EQ(std::string(TcpProbe(address, absl::Seconds(5)).message()),
            address + ": Connection refused");
  EXPECT_EQ(TcpProbe("nowhere", absl::Seconds(1)).code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace slipway::agent
