// What runs the services of real releases, for the suite of actions.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/services/service_manager.h"

namespace slipway::v1 {
class Service;
}  // namespace slipway::v1

namespace slipway::agent {

class ServiceRig {
 public:
  virtual ~ServiceRig() = default;
  virtual ServiceManager& services() = 0;  // until the agent restarts
  virtual void RestartAgent() = 0;
  // Says in `service`, of a release that is deployed to `app`, that `argv` is what runs; argv[0] is
  // below the component.
  virtual void Define(const std::string& app, const std::vector<std::string>& argv,
                      v1::Service& service) = 0;
};

// That of this program. Its state lies below `home`.
std::unique_ptr<ServiceRig> MakeServiceRig(const std::string& home);

}  // namespace slipway::agent
