// All drivers of a host as one: a service is run by systemd when its definition names a unit, and
// by the agent itself otherwise.
#pragma once

#include <string>
#include <vector>

#include "agent/services/service_manager.h"

namespace slipway::agent {

// Thread-safe. Where releases of one application disagree about the driver, the one that runs the
// service, else the one that saw it last, answers for it.
class ServiceDrivers final : public ServiceManager {
 public:
  // Both outlive this.
  ServiceDrivers(ServiceManager& processes, ServiceManager& units)
      : processes_(processes), units_(units) {}

  absl::Status Start(const ServiceSpec& spec) override;
  absl::StatusOr<StopReport> Stop(const ServiceId& id, const StopOrder& order) override;
  ServiceStatus Inspect(const ServiceId& id) const override { return DriverOf(id).Inspect(id); }
  std::vector<ServiceId> Services() const override;
  LogPiece ReadLog(const ServiceId& id, const LogPosition& from,
                   std::uint64_t bytes_max) const override;
  std::string LastLines(const ServiceId& id, const LogPosition& from, int lines) const override;

 private:
  ServiceManager& DriverOf(const ServiceId& id) const;

  ServiceManager& processes_;
  ServiceManager& units_;
};

}  // namespace slipway::agent
