#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "absl/strings/str_cat.h"
#include "agent/health/probe.h"
#include "common/status_macros.h"

namespace slipway::agent {
namespace {

using Addresses = std::unique_ptr<addrinfo, void (*)(addrinfo*)>;

absl::StatusOr<Addresses> Resolve(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == address.size()) {
    return absl::InvalidArgumentError(absl::StrCat(address, " is not host:port"));
  }
  std::string host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), address.c_str() + colon + 1, &hints, &found);
  if (error != 0) return absl::UnavailableError(absl::StrCat(address, ": ", gai_strerror(error)));
  return Addresses(found, freeaddrinfo);
}

// 0, or why there is no connection.
int Connect(const addrinfo& address, int timeout_ms) {
  const int fd = socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  int error = connect(fd, address.ai_addr, address.ai_addrlen) == 0 ? 0 : errno;
  if (error == EINPROGRESS) {
    pollfd entry{fd, POLLOUT, 0};
    socklen_t size = sizeof error;
    error = ETIMEDOUT;
    if (poll(&entry, 1, timeout_ms) > 0) getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  }
  close(fd);
  return error;
}

}  // namespace

absl::Status TcpProbe(const std::string& address, absl::Duration timeout) {
  SLIPWAY_ASSIGN_OR_RETURN(const Addresses addresses, Resolve(address));
  int error = EHOSTUNREACH;
  for (const addrinfo* a = addresses.get(); a != nullptr && error != 0; a = a->ai_next) {
    error = Connect(*a, static_cast<int>(absl::ToInt64Milliseconds(timeout)) + 1);
  }
  if (error == 0) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(address, ": ", strerror(error)));
}

absl::Status ProbeService(const std::string& http, const std::string& tcp, absl::Duration timeout) {
  if (!http.empty()) SLIPWAY_RETURN_IF_ERROR(HttpProbe(http, {}, timeout));
  return tcp.empty() ? absl::OkStatus() : TcpProbe(tcp, timeout);
}

}  // namespace slipway::agent
