#include "agent/services/service_drivers.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace slipway::agent {
namespace {

using State = ServiceStatus::State;

bool Knows(const ServiceManager& driver, const ServiceId& id) {
  const std::vector<ServiceId> known = driver.Services();
  return std::find(known.begin(), known.end(), id) != known.end();
}

}  // namespace

ServiceManager& ServiceDrivers::DriverOf(const ServiceId& id) const {
  if (!Knows(units_, id)) return processes_;
  if (!Knows(processes_, id)) return units_;
  const ServiceStatus unit = units_.Inspect(id);
  const ServiceStatus process = processes_.Inspect(id);
  if (unit.state == State::running) return units_;
  if (process.state == State::running) return processes_;
  return unit.since >= process.since ? units_ : processes_;
}

absl::Status ServiceDrivers::Start(const ServiceSpec& spec) {
  ServiceManager& driver = spec.unit.empty() ? processes_ : units_;
  ServiceManager& other = spec.unit.empty() ? units_ : processes_;
  const ServiceStatus there = other.Inspect(spec.id);
  if (there.state == State::running) {
    return absl::FailedPreconditionError(
        absl::StrCat(spec.id.name, " runs from ", there.release_dir,
                     spec.unit.empty() ? " as a unit of systemd" : " as a child of the agent",
                     "; stop it first"));
  }
  return driver.Start(spec);
}

absl::StatusOr<StopReport> ServiceDrivers::Stop(const ServiceId& id, const StopOrder& order) {
  ServiceManager& driver = DriverOf(id);
  if (order.unit.empty() || driver.Inspect(id).state == State::running)
    return driver.Stop(id, order);
  return units_.Stop(id, order);
}

std::vector<ServiceId> ServiceDrivers::Services() const {
  std::vector<ServiceId> all = processes_.Services();
  const std::vector<ServiceId> units = units_.Services();
  all.insert(all.end(), units.begin(), units.end());
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

LogPiece ServiceDrivers::ReadLog(const ServiceId& id, const LogPosition& from,
                                 std::uint64_t bytes_max) const {
  return DriverOf(id).ReadLog(id, from, bytes_max);
}

std::string ServiceDrivers::LastLines(const ServiceId& id, const LogPosition& from,
                                      int lines) const {
  return DriverOf(id).LastLines(id, from, lines);
}

}  // namespace slipway::agent
