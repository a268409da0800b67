// A host that was booted with systemd, for the suite of service managers; this program runs in it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/services/bus_systemd.h"
#include "agent/services/host_journal.h"
#include "agent/services/systemd_service_manager.h"
#include "common/fs/test_directory.h"
#include "tests/conformance/service_hosts.h"

namespace slipway::agent {

// Its service is a unit of its own, which is gone when the host is.
class SystemdHost final : public ServiceHost {
 public:
  SystemdHost();
  ~SystemdHost() override;

  ServiceManager& services() override { return *services_; }
  const Clock& clock() const override { return SystemClock(); }
  std::string app() const override { return folder_.path() + "/shop"; }
  ServiceSpec Spec(const Conduct& conduct, const std::string& release) override {
    return SpecWith(conduct, release, "");
  }
  std::string RefusalOf(const Conduct& conduct) const override {
    return conduct.forbidden ? "is masked" : "is not-found";
  }
  void RestartAgent() override;
  void Occupy(const ServiceSpec& spec) override { sockets_.push_back(ListenOn(spec.ports[0])); }
  void Connect(const ServiceSpec& spec) override { sockets_.push_back(ConnectTo(spec.ports[0])); }
  int Instances(const ServiceSpec& spec) override;

  // `settings` are further lines of the unit's [Service] section.
  ServiceSpec SpecWith(const Conduct& conduct, const std::string& release,
                       const std::string& settings);
  const std::string& unit() const { return unit_; }

 private:
  const std::string unit_;
  TestDirectory folder_;
  BusSystemd systemd_;
  HostJournal journal_;
  std::unique_ptr<SystemdServiceManager> services_;
  std::vector<int> sockets_;
};

}  // namespace slipway::agent
