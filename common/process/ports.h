// Who listens and who talks on TCP ports of this host, by /proc. Thread-safe.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace slipway {

// A listening socket, any address, IPv4 or IPv6.
struct Listener {
  std::uint16_t port = 0;
  std::uint64_t inode = 0;
};

// Those on `port` in this network namespace; empty: the port is free.
std::vector<Listener> ListenersOn(std::uint16_t port);

// Connections whose local port is `port` and which are established or still being closed by this
// side's program (CLOSE_WAIT).
int EstablishedOn(std::uint16_t port);

// Processes that hold the socket open; empty where they are not ours to look at.
std::vector<pid_t> OwnersOf(const Listener& listener);

}  // namespace slipway
