// Hosts for the suite of service managers: one in memory, one with real processes, and one that was
// booted with systemd.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "agent/services/service_manager.h"
#include "common/clock.h"

namespace slipway::agent {

// How a service of the suite conducts itself.
struct Conduct {
  std::string says = "listening";
  bool ignores_term = false;
  bool daemonizes = false;  // its first process ends at once, the rest leaves its session
  bool keeps_child = false;
  bool leaves_socket = false;  // ends at a TERM, but a child holds its socket and ignores that
  bool dies = false;           // soon, with "FATAL out of luck" and status 3
  bool missing = false;        // there is no such program
  bool undefined = false;      // nor anything else of it: no release, or no unit
  bool forbidden = false;      // not executable, or its unit is masked
};

class ServiceHost {
 public:
  virtual ~ServiceHost() = default;
  virtual ServiceManager& services() = 0;
  virtual const Clock& clock() const = 0;
  // A service of that conduct in the release at `release`, with a port that nobody uses.
  virtual ServiceSpec Spec(const Conduct& conduct, const std::string& release) = 0;
  std::string release(const std::string& version) const { return app() + "/releases/" + version; }
  virtual std::string app() const = 0;
  // In what words a start is refused for that conduct.
  virtual std::string RefusalOf(const Conduct& conduct) const = 0;
  // As after a kill -9 of the agent: a new manager over the same host.
  virtual void RestartAgent() = 0;
  // Somebody else listens on the port of `spec` for as long as the host lives.
  virtual void Occupy(const ServiceSpec& spec) = 0;
  // A client connects to `spec` and stays for as long as the host lives.
  virtual void Connect(const ServiceSpec& spec) = 0;
  // Processes of the host that run the program of `spec`.
  virtual int Instances(const ServiceSpec& spec) = 0;
};

struct HostKind {
  std::string name;
  std::function<std::unique_ptr<ServiceHost>()> make;
};
inline std::ostream& operator<<(std::ostream& out, const HostKind& kind) {
  return out << kind.name;
}

// That the suite is about in this program.
std::vector<HostKind> HostKinds();

// Listens, or connects, on the port until the test ends: the socket.
int ListenOn(std::uint16_t port);
int ConnectTo(std::uint16_t port);

// A TCP port of this machine on which nobody listens right now.
std::uint16_t UnusedPort();

}  // namespace slipway::agent
