#include "tests/postgres/tcp_proxy.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <vector>

namespace slipway::test {
namespace {

constexpr int kTickMs = 50;

sockaddr_in Loopback(int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  address.sin_port = ::htons(static_cast<std::uint16_t>(port));
  return address;
}

bool SendAll(int socket, const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t sent = ::send(socket, data, size, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    data += sent;
    size -= static_cast<std::size_t>(sent);
  }
  return true;
}

}  // namespace

struct TcpProxy::Link {
  int client = -1, server = -1;
  std::optional<std::size_t> answer_left;  // of a connection that is to be cut
  std::vector<char> buffer = std::vector<char>(64 << 10);
  std::thread thread;
};

TcpProxy::TcpProxy(int to_port) : to_port_(to_port) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(::listen(listener_, 64), 0);
  EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
  port_ = ::ntohs(address.sin_port);
  thread_ = std::thread([this] { Accept(); });
}

TcpProxy::~TcpProxy() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
  }
  thread_.join();
  for (Link& link : links_) link.thread.join();
  ::close(listener_);
}

void TcpProxy::CutAnswer(std::size_t request, std::size_t answer) {
  MutexLock lock(mu_);
  order_ = {request, answer, true};
  has_cut_ = false;
}

void TcpProxy::CutRequest(std::size_t request, std::size_t part) {
  MutexLock lock(mu_);
  order_ = {request, part, false};
  has_cut_ = false;
}

bool TcpProxy::HasCut() const {
  MutexLock lock(mu_);
  return has_cut_;
}

void TcpProxy::Close() {
  MutexLock lock(mu_);
  open_ = false;
}

void TcpProxy::Open() {
  MutexLock lock(mu_);
  open_ = true;
}

void TcpProxy::Done() {
  MutexLock lock(mu_);
  has_cut_ = true;
}

void TcpProxy::Accept() {
  for (;;) {
    {
      MutexLock lock(mu_);
      if (stopping_) return;
    }
    pollfd ready = {listener_, POLLIN, 0};
    if (::poll(&ready, 1, kTickMs) <= 0) continue;
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;
    Link& link = links_.emplace_back();
    link.client = client;
    link.thread = std::thread([this, &link] { Carry(link); });
  }
}

void TcpProxy::Carry(Link& link) {
  link.server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(to_port_);
  bool alive =
      ::connect(link.server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  while (alive) {
    {
      MutexLock lock(mu_);
      if (stopping_ || !open_) break;
    }
    pollfd ready[2] = {{link.client, POLLIN, 0}, {link.server, POLLIN, 0}};
    if (::poll(ready, 2, kTickMs) <= 0) continue;
    if (ready[0].revents != 0) alive = ToServer(link);
    if (alive && ready[1].revents != 0) alive = ToClient(link);
  }
  ::close(link.client);
  ::close(link.server);
}

bool TcpProxy::ToServer(Link& link) {
  const ssize_t got = ::recv(link.client, link.buffer.data(), link.buffer.size(), 0);
  if (got <= 0) return false;
  const auto size = static_cast<std::size_t>(got);
  Order order;
  {
    MutexLock lock(mu_);
    if (order_.request > 0 && size >= order_.request) std::swap(order, order_);
  }
  if (order.request > 0 && !order.of_answer) {
    SendAll(link.server, link.buffer.data(), std::min(size, order.part));
    Done();
    return false;
  }
  if (order.request > 0) link.answer_left = order.part;
  return SendAll(link.server, link.buffer.data(), size);
}

bool TcpProxy::ToClient(Link& link) {
  const ssize_t got = ::recv(link.server, link.buffer.data(), link.buffer.size(), 0);
  if (got <= 0) return false;
  const auto size = static_cast<std::size_t>(got);
  if (!link.answer_left) return SendAll(link.client, link.buffer.data(), size);
  const std::size_t part = std::min(size, *link.answer_left);
  *link.answer_left -= part;
  SendAll(link.client, link.buffer.data(), part);
  if (part == size) return true;
  Done();
  return false;
}

}  // namespace slipway::test
