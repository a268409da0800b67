#include "controller/metrics/controller_gauges.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cstdint>

#include "controller/metrics/gauge_list.h"
#include "slipway/v1/agent_session.pb.h"

namespace slipway::controller {
namespace {

// What a rollout does, in one word.
std::string WordOf(const RolloutView* view) {
  if (view == nullptr) return "recovering";
  if (!view->trouble.empty()) return "stuck";
  if (view->state.hold.why != engine::Hold::Why::none) {
    return std::string(engine::Word(view->state.hold.why));
  }
  return view->state.turned_back ? "rolling_back" : "running";
}

void AddRollouts(const RunnerPool& pool, GaugeList& list) {
  std::map<std::string, int> counts;
  for (const char* word : {"recovering", "running", "rolling_back", "paused", "gate", "brake",
                           "needs_person", "stuck"}) {
    counts[word] = 0;
  }
  std::size_t open_tasks = 0;
  for (const auto& view : pool.Open()) {
    ++counts[WordOf(view.get())];
    if (view != nullptr) open_tasks += view->state.open.size();
  }
  list.Begin("slipway_rollouts_open", "Rollouts that are not over, by what they do.");
  for (const auto& [word, count] : counts) list.Value({{"state", word}}, count);
  list.Add("slipway_tasks_open", "Steps on hosts that were issued and have no outcome yet.",
           static_cast<double>(open_tasks));
  list.Add("slipway_storage_degraded",
           "1 while the controller cannot write; nothing new starts then.",
           pool.Degraded().empty() ? 0 : 1);
}

// Sums and extremes over the fleet.
struct Fleet {
  int connected = 0, silent = 0, never_seen = 0, cordoned = 0, quarantined = 0, conflicting = 0;
  std::map<std::pair<std::string, std::string>, int> services;  // (state, healthy)
  double clock_offset = 0, round_trip = 0, disk_free = 1;
  double running = 0, outbox = 0, log_bytes = 0, resident_bytes = 0;
  absl::Time first_expiry = absl::InfiniteFuture();
};

std::string Word(v1::ServiceHealth::State state) {
  switch (state) {
    case v1::ServiceHealth::RUNNING:
      return "running";
    case v1::ServiceHealth::STOPPED:
      return "stopped";
    case v1::ServiceHealth::DIED:
      return "died";
    default:  // of a newer agent
      return "unknown";
  }
}

void AddReport(const v1::HealthReport& report, Fleet& fleet) {
  for (const v1::ServiceHealth& service : report.services()) {
    ++fleet.services[{Word(service.state()), service.healthy() ? "true" : "false"}];
  }
  for (const v1::Disk& disk : report.disks()) {
    if (disk.total_bytes() == 0) continue;
    fleet.disk_free = std::min(fleet.disk_free, static_cast<double>(disk.free_bytes()) /
                                                    static_cast<double>(disk.total_bytes()));
  }
  const v1::AgentFigures& agent = report.agent();
  fleet.running += agent.running();
  fleet.outbox += agent.outbox();
  fleet.log_bytes = std::max(fleet.log_bytes, static_cast<double>(agent.log_bytes()));
  fleet.resident_bytes =
      std::max(fleet.resident_bytes, static_cast<double>(agent.resident_bytes()));
}

void AddHost(const HostRecord& host, const LiveHost* live, Fleet& fleet) {
  fleet.cordoned += host.cordon.has_value();
  fleet.quarantined += host.state == HostRecord::State::quarantined;
  if (live == nullptr) {
    ++fleet.never_seen;
    return;
  }
  fleet.conflicting += !live->conflict.empty();
  if (!live->connected) {
    ++fleet.silent;
    return;
  }
  ++fleet.connected;
  fleet.clock_offset =
      std::max(fleet.clock_offset, std::abs(absl::ToDoubleSeconds(live->clock_offset)));
  fleet.round_trip = std::max(fleet.round_trip, absl::ToDoubleSeconds(live->round_trip));
  fleet.first_expiry = std::min(fleet.first_expiry, live->certificate_expires);
  if (live->health != nullptr) AddReport(*live->health, fleet);
}

Fleet Look(const HostDirectory& hosts, const FleetView& view) {
  Fleet fleet;
  for (const char* state : {"running", "stopped", "died", "unknown"}) {
    for (const char* healthy : {"true", "false"}) fleet.services[{state, healthy}] = 0;
  }
  const std::map<HostId, LiveHost> live = view.All();
  for (const auto& host : hosts.All()) {
    const auto it = live.find(host->id);
    AddHost(*host, it == live.end() ? nullptr : &it->second, fleet);
  }
  return fleet;
}

void AddFleet(const Fleet& fleet, GaugeList& list) {
  list.Begin("slipway_hosts", "Enrolled hosts, by whether their agent is attached.");
  list.Value({{"state", "connected"}}, fleet.connected);
  list.Value({{"state", "silent"}}, fleet.silent);
  list.Value({{"state", "not_seen"}}, fleet.never_seen);
  list.Add("slipway_hosts_cordoned", "Hosts that people keep out of new rollouts.", fleet.cordoned);
  list.Add("slipway_hosts_quarantined", "Hosts to which nothing is sent until a person looked.",
           fleet.quarantined);
  list.Add("slipway_hosts_conflicting", "Names that two machines claim to be.", fleet.conflicting);
  list.Begin("slipway_services",
             "Services on attached hosts, by state and by whether their probes say that they are "
             "healthy.");
  for (const auto& [words, count] : fleet.services) {
    list.Value({{"state", words.first}, {"healthy", words.second}}, count);
  }
  list.Add("slipway_hosts_clock_offset_max_seconds",
           "The largest difference between a host's clock and the controller's.",
           fleet.clock_offset);
  list.Add("slipway_hosts_disk_free_min_ratio",
           "Free share of the fullest file system of an attached host.", fleet.disk_free);
  list.Add("slipway_agents_round_trip_max_seconds",
           "The longest round trip between controller and an attached agent.", fleet.round_trip);
  list.Add("slipway_agents_commands_running", "Commands that agents have accepted and not ended.",
           fleet.running);
  list.Add("slipway_agents_outbox", "Answers of agents that are not acknowledged yet.",
           fleet.outbox);
  list.Add("slipway_agents_command_log_max_bytes", "The largest command log of an attached agent.",
           fleet.log_bytes);
  list.Add("slipway_agents_resident_memory_max_bytes",
           "The most memory that an attached agent holds.", fleet.resident_bytes);
}

void AddStorage(const ControllerGauges::Ports& ports, GaugeList& list) {
  list.Begin("slipway_store_bytes", "Size of the SQLite store with its write-ahead log.");
  double bytes = 0;
  for (const char* suffix : {"", "-wal"}) {
    struct stat file = {};
    if (::stat((ports.store_file + suffix).c_str(), &file) == 0) {
      bytes += static_cast<double>(file.st_size);
    }
  }
  if (!ports.store_file.empty()) list.Value({}, bytes);
  struct statvfs space = {};
  if (::statvfs(ports.dir.c_str(), &space) != 0) return;
  list.Add("slipway_store_free_bytes", "Free space where the controller keeps store and releases.",
           static_cast<double>(space.f_bavail) * static_cast<double>(space.f_frsize));
}

}  // namespace

std::vector<prometheus::MetricFamily> ControllerGauges::Collect() const {
  GaugeList list;
  AddRollouts(ports_.pool, list);
  const Fleet fleet = Look(ports_.hosts, ports_.view);
  AddFleet(fleet, list);
  list.Add("slipway_agent_messages_waiting",
           "Messages for agents that wait for the sessions' thread.",
           static_cast<double>(ports_.sessions.waiting()));
  list.Add("slipway_agent_events_waiting", "Events of agents that wait for the rollouts.",
           static_cast<double>(ports_.events.waiting()));
  AddStorage(ports_, list);
  list.Begin("slipway_certificate_expiry_timestamp_seconds",
             "When a certificate expires, in seconds since 1970; of agents, the first one among "
             "those attached.");
  for (const auto& [name, expires] : ports_.certificates) {
    list.Value({{"certificate", name}}, absl::ToDoubleSeconds(expires - absl::UnixEpoch()));
  }
  if (fleet.first_expiry != absl::InfiniteFuture()) {
    list.Value({{"certificate", "agents"}},
               absl::ToDoubleSeconds(fleet.first_expiry - absl::UnixEpoch()));
  }
  return list.Take();
}

}  // namespace slipway::controller
