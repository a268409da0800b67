#include "tests/integration/barrier.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace slipway::test {

Barrier::Barrier() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size), 0);
  port_ = ::ntohs(address.sin_port);
}

Barrier::~Barrier() {
  ::close(socket_);
}

void Barrier::Open() const {
  EXPECT_EQ(::listen(socket_, 64), 0);
}

std::string Barrier::Plan(int hosts) const {
  return "plan: 1\nname: nothing\nenvironment: test\ngroups:\n  all: { select: \"role=web\", "
         "exactly: " +
         std::to_string(hosts) +
         " }\nphases:\n  - phase: wait\n    hosts: all\n    strategy: { canary: { hosts: 0 }, "
         "batch: 100% }\n    "
         "steps:\n"
         "      - check: { tcp: \"127.0.0.1:" +
         std::to_string(port_) + "\", deadline: 60s, retries: 3 }\n";
}

}  // namespace slipway::test
