// Hosts for the suite of service managers: one in memory, one with real processes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "agent/services/service_manager.h"
#include "common/clock.h"

namespace slipway::agent {

// How a service of the suite conducts itself.
struct Conduct {
  std::string says = "listening";
  bool ignores_term = false;
  bool daemonizes = false;  // its first process ends at once, the rest leaves its session
  bool keeps_child = false;
  bool dies = false;     // soon, with "FATAL out of luck" and status 3
  bool missing = false;  // there is no such program
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

// A TCP port of this machine on which nobody listens right now.
std::uint16_t UnusedPort();

std::unique_ptr<ServiceHost> MakeFakeHost();
std::unique_ptr<ServiceHost> MakeProcessHost();

}  // namespace slipway::agent
