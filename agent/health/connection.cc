#include "agent/health/connection.h"

#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "common/clock.h"
#include "common/status_macros.h"

namespace slipway::agent {
namespace {

constexpr std::size_t kReadBytes = 16 << 10;
constexpr absl::Duration kLongestPoll = absl::Hours(1);  // poll() counts milliseconds in an int

using Addresses = std::unique_ptr<addrinfo, void (*)(addrinfo*)>;

absl::StatusOr<Addresses> Resolve(const std::string& host, const std::string& port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), port.c_str(), &hints, &found);
  if (error != 0) return absl::UnavailableError(gai_strerror(error));
  return Addresses(found, freeaddrinfo);
}

// 0 once `fd` is ready for `events`, or an errno: ETIMEDOUT from the deadline on, ready or not, so
// that a peer that never stops sending meets it too.
int WaitFor(int fd, short events, absl::Duration deadline) {
  for (;;) {
    const absl::Duration left = std::min(deadline - SystemClock().Monotonic(), kLongestPoll);
    if (left <= absl::ZeroDuration()) return ETIMEDOUT;
    pollfd entry{fd, events, 0};
    const int ready = poll(&entry, 1, static_cast<int>(absl::ToInt64Milliseconds(left)) + 1);
    if (ready > 0) return 0;
    if (ready < 0 && errno != EINTR) return errno;
  }
}

absl::Status Broken(int error) {
  return absl::UnavailableError(strerror(error));
}

absl::StatusOr<UniqueFd> Connect(const addrinfo& address, absl::Duration deadline) {
  UniqueFd fd(socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return Broken(errno);
  int error = connect(fd.get(), address.ai_addr, address.ai_addrlen) == 0 ? 0 : errno;
  if (error == EINPROGRESS) {
    error = WaitFor(fd.get(), POLLOUT, deadline);
    socklen_t size = sizeof error;
    if (error == 0) getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  }
  if (error != 0) return Broken(error);
  return fd;
}

}  // namespace

absl::StatusOr<Connection> Connection::Open(const std::string& host, const std::string& port,
                                            absl::Duration deadline) {
  SLIPWAY_ASSIGN_OR_RETURN(const Addresses addresses, Resolve(host, port));
  absl::Status last = Broken(EHOSTUNREACH);
  for (const addrinfo* a = addresses.get(); a != nullptr; a = a->ai_next) {
    absl::StatusOr<UniqueFd> fd = Connect(*a, deadline);
    if (fd.ok()) return Connection(*std::move(fd), deadline);
    last = fd.status();
  }
  return last;
}

absl::Status Connection::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      if (const int error = WaitFor(fd_.get(), POLLOUT, deadline_); error != 0)
        return Broken(error);
    } else if (errno != EINTR) {
      return Broken(errno);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> Connection::Receive() {
  std::string bytes(kReadBytes, '\0');
  for (;;) {
    if (const int error = WaitFor(fd_.get(), POLLIN, deadline_); error != 0) return Broken(error);
    const ssize_t got = recv(fd_.get(), bytes.data(), bytes.size(), 0);
    if (got >= 0) {
      bytes.resize(static_cast<std::size_t>(got));
      return bytes;
    }
    if (errno != EAGAIN && errno != EINTR) return Broken(errno);
  }
}

}  // namespace slipway::agent
