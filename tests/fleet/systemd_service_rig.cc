#include <filesystem>
#include <fstream>
#include <optional>

#include "agent/services/bus_systemd.h"
#include "agent/services/host_journal.h"
#include "agent/services/systemd_service_manager.h"
#include "slipway/v1/action.pb.h"
#include "tests/conformance/service_rig.h"

namespace slipway::agent {
namespace {

class SystemdServiceRig final : public ServiceRig {
 public:
  explicit SystemdServiceRig(const std::string& home) : home_(home) { RestartAgent(); }
  ~SystemdServiceRig() override { std::filesystem::remove(File()); }

  ServiceManager& services() override { return *services_; }
  void RestartAgent() override {
    services_.emplace(home_ + "/units", systemd_, journal_, SystemClock());
  }
  void Define(const std::string& app, const std::vector<std::string>& argv,
              v1::Service& service) override {
    std::ofstream file(File());
    file << "[Service]\nType=exec\nExecStart=" << app << "/current/" << argv[0];
    for (std::size_t i = 1; i < argv.size(); ++i) file << " \"" << argv[i] << "\"";
    file << "\n";
    service.set_unit(unit_);
  }

 private:
  static std::string NextUnit() {
    static int made = 0;
    return "released-" + std::to_string(++made) + ".service";
  }
  std::string File() const { return "/run/systemd/system/" + unit_; }

  const std::string home_;
  const std::string unit_ = NextUnit();
  BusSystemd systemd_;
  HostJournal journal_;
  std::optional<SystemdServiceManager> services_;
};

}  // namespace

std::unique_ptr<ServiceRig> MakeServiceRig(const std::string& home) {
  return std::make_unique<SystemdServiceRig>(home);
}

}  // namespace slipway::agent
