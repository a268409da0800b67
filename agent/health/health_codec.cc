#include "agent/health/health_codec.h"

#include "agent/health/health_monitor.h"
#include "common/wire/proto_time.h"
#include "slipway/v1/agent_session.pb.h"

namespace slipway::agent {
namespace {

v1::ServiceHealth::State ToProto(ServiceStatus::State state) {
  switch (state) {
    case ServiceStatus::State::stopped:
      return v1::ServiceHealth::STOPPED;
    case ServiceStatus::State::running:
      return v1::ServiceHealth::RUNNING;
    case ServiceStatus::State::died:
      return v1::ServiceHealth::DIED;
  }
  return v1::ServiceHealth::STATE_UNSPECIFIED;
}

void Encode(const ServiceHealth& service, v1::ServiceHealth& out) {
  out.set_name(service.id.name);
  out.set_app(service.id.app);
  out.set_state(ToProto(service.status.state));
  out.set_healthy(service.healthy);
  out.set_detail(service.detail);
  out.set_pid(service.status.pid);
  out.set_restarts(static_cast<std::uint32_t>(service.status.restarts));
  SetProto(service.status.since, out.mutable_since());
  out.set_rss_bytes(service.status.rss_bytes);
}

}  // namespace

void EncodeApps(const Observed& apps, v1::HealthReport& out) {
  out.clear_apps();
  for (const auto& [app, version] : apps) {
    v1::VersionMessage& to = (*out.mutable_apps())[app];
    to.set_on_disk(version.on_disk);
    to.set_running(version.running);
    to.set_label(version.label);
    to.set_healthy(version.healthy);
  }
}

void Encode(const HostHealth& health, v1::HealthReport& out) {
  EncodeApps(health.apps, out);
  for (const ServiceHealth& service : health.services) Encode(service, *out.add_services());
  for (const DiskHealth& disk : health.disks) {
    v1::Disk& to = *out.add_disks();
    to.set_path(disk.path);
    to.set_free_bytes(disk.free_bytes);
    to.set_total_bytes(disk.total_bytes);
  }
  out.set_load1(health.load1);
  out.set_memory_bytes(health.memory_bytes);
  out.set_memory_available_bytes(health.memory_available_bytes);
  out.set_cpu_permille(health.cpu_permille);
  SetProto(health.clock, out.mutable_clock());
}

}  // namespace slipway::agent
