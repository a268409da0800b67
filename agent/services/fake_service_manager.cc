#include "agent/services/fake_service_manager.h"

#include <signal.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace slipway::agent {
namespace {

constexpr absl::Duration kTick = absl::Milliseconds(100);

}  // namespace

void FakeServiceManager::Conducts(const ServiceId& id, Conduct conduct) {
  MutexLock lock(mu_);
  services_[id].conduct = std::move(conduct);
}

void FakeServiceManager::Occupy(std::uint16_t port, std::string owner) {
  MutexLock lock(mu_);
  occupied_[port] = std::move(owner);
}

void FakeServiceManager::SetConnections(const ServiceId& id, int connections) {
  MutexLock lock(mu_);
  services_[id].connections = connections;
}

void FakeServiceManager::Log(const ServiceId& id, std::string_view text) {
  MutexLock lock(mu_);
  services_[id].log += text;
}

void FakeServiceManager::Die(const ServiceId& id) {
  MutexLock lock(mu_);
  End(services_[id], ServiceStatus::State::died, "was ended by SIGKILL");
}

void FakeServiceManager::Reboot() {
  MutexLock lock(mu_);
  for (auto& [id, service] : services_) {
    Settle(service);
    if (service.status.state != ServiceStatus::State::running) continue;
    End(service, ServiceStatus::State::died, "ended with the machine");
    service.status.with_machine = true;
  }
}

int FakeServiceManager::StartsOf(const ServiceId& id) const {
  MutexLock lock(mu_);
  return services_[id].starts;
}

void FakeServiceManager::End(Service& service, ServiceStatus::State state, std::string how) const {
  const LogPosition log_start = service.status.log_start;
  service.status = {};
  service.status.state = state;
  service.status.ended = std::move(how);
  service.status.log_start = log_start;
  service.status.since = clock_.Now();
  if (service.spec) service.status.release_dir = service.spec->release_dir;
}

void FakeServiceManager::Settle(Service& service) const {
  if (service.status.state != ServiceStatus::State::running) return;
  if (clock_.Monotonic() < service.dies_at) return;
  service.log += service.conduct.last_words;
  End(service, ServiceStatus::State::died, "exited with status 3");
}

absl::Status FakeServiceManager::FreePorts(const std::vector<std::uint16_t>& ports) const {
  for (const std::uint16_t port : ports) {
    const auto it = occupied_.find(port);
    if (it == occupied_.end()) continue;
    return absl::FailedPreconditionError(
        absl::StrCat("port ", port, " belongs to ", it->second, ", which slipway did not start"));
  }
  return absl::OkStatus();
}

absl::Status FakeServiceManager::Start(const ServiceSpec& spec) {
  MutexLock lock(mu_);
  Service& service = services_[spec.id];
  Settle(service);
  if (service.status.state == ServiceStatus::State::running) {
    if (service.spec->release_dir == spec.release_dir) return absl::OkStatus();
    return absl::FailedPreconditionError(
        absl::StrCat(spec.id.name, " runs from ", service.spec->release_dir, "; stop it first"));
  }
  SLIPWAY_RETURN_IF_ERROR(FreePorts(spec.ports));
  if (!service.conduct.refuses.empty()) {
    return absl::InternalError(
        absl::StrCat(spec.id.name, " could not be started: ", service.conduct.refuses));
  }
  ++service.starts;
  service.spec = spec;
  service.status = {};
  service.status.state = ServiceStatus::State::running;
  service.status.pid = next_pid_++;
  service.status.since = clock_.Now();
  service.status.rss_bytes = 10 << 20;
  // What a unit runs stands in its file.
  const std::string program = spec.argv.empty() ? "bin/" + spec.id.name : spec.argv[0];
  service.status.executable = program[0] == '/' ? program : spec.release_dir + "/" + program;
  service.status.working_dir = service.status.release_dir = service.status.release_env =
      spec.release_dir;
  service.status.http = spec.http;
  service.status.tcp = spec.tcp;
  service.status.http_names = spec.http_names;
  service.status.log_start = {1, service.log.size()};
  service.log += service.conduct.first_words;
  service.dies_at = clock_.Monotonic() + service.conduct.dies_after;
  return absl::OkStatus();
}

absl::StatusOr<StopReport> FakeServiceManager::Stop(const ServiceId& id, const StopOrder& order) {
  StopReport report;
  const absl::Duration began = clock_.Monotonic();
  MutexLock lock(mu_);
  Service& service = services_[id];
  Settle(service);
  report.was_running = service.status.state == ServiceStatus::State::running;
  const absl::Duration drained_by = std::min(began + order.drain, order.deadline);
  while (report.was_running && service.connections > 0 && clock_.Monotonic() < drained_by) {
    clock_.Sleep(kTick);
  }
  report.connections_left = service.connections;
  report.drained_for = clock_.Monotonic() - began;
  bool alive = report.was_running;
  for (const Rung& rung : order.ladder) {
    if (!alive || clock_.Monotonic() >= order.deadline) break;
    if (rung.signal == 0) clock_.Sleep(rung.wait);
    if (rung.signal != 0) report.signal = rung.signal;
    alive = rung.signal == 0 || (rung.signal != SIGKILL && service.conduct.ignores_term);
  }
  if (alive || (report.was_running && service.conduct.leaves_process)) {
    return absl::DeadlineExceededError(
        absl::StrCat(id.name, " (pid ", service.status.pid, ") is still running"));
  }
  if (service.spec) SLIPWAY_RETURN_IF_ERROR(FreePorts(service.spec->ports));
  SLIPWAY_RETURN_IF_ERROR(FreePorts(order.ports));
  if (report.was_running) End(service, ServiceStatus::State::stopped, "");
  report.took = clock_.Monotonic() - began;
  return report;
}

ServiceStatus FakeServiceManager::Inspect(const ServiceId& id) const {
  MutexLock lock(mu_);
  const auto it = services_.find(id);
  if (it == services_.end()) return {};
  Settle(it->second);
  return it->second.status;
}

std::vector<ServiceId> FakeServiceManager::Services() const {
  MutexLock lock(mu_);
  std::vector<ServiceId> ids;
  for (const auto& [id, service] : services_) {
    if (service.starts > 0) ids.push_back(id);
  }
  return ids;
}

LogPiece FakeServiceManager::ReadLog(const ServiceId& id, const LogPosition& from,
                                     std::uint64_t bytes_max) const {
  MutexLock lock(mu_);
  Service& service = services_[id];
  Settle(service);
  const std::uint64_t at = std::min<std::uint64_t>(from.offset, service.log.size());
  LogPiece piece{.bytes = service.log.substr(at, bytes_max), .next = {1, at}};
  piece.next.offset += piece.bytes.size();
  return piece;
}

std::string FakeServiceManager::LastLines(const ServiceId& id, const LogPosition& from,
                                          int lines) const {
  std::string text = ReadLog(id, from, 1 << 20).bytes;
  while (!text.empty() && text.back() == '\n') text.pop_back();
  std::size_t begin = text.size();
  for (int i = 0; i < lines && begin != 0 && begin != std::string::npos; ++i) {
    begin = text.rfind('\n', begin - 1);
  }
  return begin == std::string::npos || begin == 0 ? text : text.substr(begin + 1);
}

}  // namespace slipway::agent
