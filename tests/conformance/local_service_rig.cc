#include "agent/services/process_service_manager.h"
#include "slipway/v1/action.pb.h"
#include "tests/conformance/service_rig.h"

namespace slipway::agent {
namespace {

class LocalServiceRig final : public ServiceRig {
 public:
  explicit LocalServiceRig(const std::string& home) : home_(home) { RestartAgent(); }
  ServiceManager& services() override { return *services_; }
  void RestartAgent() override {
    services_.reset();
    services_ = *ProcessServiceManager::Open(home_ + "/services", launcher_, SystemClock());
  }
  void Define(const std::string&, const std::vector<std::string>& argv,
              v1::Service& service) override {
    for (const std::string& arg : argv) service.add_run(arg);
  }

 private:
  const std::string home_;
  ExecLauncher launcher_{{SLIPWAY_EXEC_SHIM}};
  std::unique_ptr<ProcessServiceManager> services_;
};

}  // namespace

std::unique_ptr<ServiceRig> MakeServiceRig(const std::string& home) {
  return std::make_unique<LocalServiceRig>(home);
}

}  // namespace slipway::agent
