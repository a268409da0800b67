#include "common/process/ports.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace slipway {
namespace {

// A listening socket on a port of the kernel's choice.
class Server {
 public:
  Server() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(fd_, 8), 0);
    EXPECT_EQ(getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
  }
  ~Server() { close(fd_); }
  std::uint16_t port() const { return port_; }

  int Connect() const {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    return fd;
  }
  int Accept() const { return accept(fd_, nullptr, nullptr); }

 private:
  int fd_;
  std::uint16_t port_ = 0;
};

TEST(Ports, ListenerIsFoundWithItsOwner) {
  std::uint16_t port = 0;
  {
    const Server server;
    port = server.port();
    const auto listeners = ListenersOn(port);
    ASSERT_EQ(listeners.size(), 1u);
    EXPECT_THAT(OwnersOf(listeners[0]), testing::ElementsAre(getpid()));
  }
  EXPECT_TRUE(ListenersOn(port).empty());
}

TEST(Ports, EstablishedConnectionsAreCountedUntilBothSidesClosed) {
  const Server server;
  EXPECT_EQ(EstablishedOn(server.port()), 0);
  const int client = server.Connect();
  const int accepted = server.Accept();
  EXPECT_EQ(EstablishedOn(server.port()), 1);
  close(client);
  EXPECT_EQ(EstablishedOn(server.port()), 1) << "the server has not closed its side";
  close(accepted);
  EXPECT_EQ(EstablishedOn(server.port()), 0);
}

}  // namespace
}  // namespace slipway
