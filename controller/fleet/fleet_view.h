// What is known of hosts right now. Thread-safe.
//
// Written by agents' sessions, read by the services. One slot for each host that was ever seen.
// What must survive a restart is in the registry (last_report.h); the rest fills up again as agents
// come back.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "common/model/ids.h"
#include "common/mutex.h"

namespace slipway {
namespace v1 {
class Facts;
class HealthReport;
}  // namespace v1

namespace controller {

// How far a running command is, as its agent says. For people.
struct LiveProgress {
  CommandId id;
  std::string text;
  std::uint64_t done = 0;
  std::uint64_t total = 0;  // 0: not known
};

// Cheap to copy: what is large is shared and never changed.
struct LiveHost {
  bool connected = false;
  absl::Time connected_since = absl::InfinitePast();
  absl::Time last_seen = absl::InfinitePast();
  std::string agent_version;
  std::shared_ptr<const std::map<std::string, std::string>> labels;  // the agent's own; or nullptr
  std::shared_ptr<const v1::Facts> facts;                            // nullptr: none yet
  std::shared_ptr<const v1::HealthReport> health;                    // nullptr: none yet
  absl::Duration clock_offset = absl::ZeroDuration();                // host minus controller
  absl::Duration round_trip = absl::ZeroDuration();                  // zero: not measured yet
  std::optional<LiveProgress> progress;
  absl::Time certificate_expires = absl::InfiniteFuture();  // of the one it came with
  std::string conflict;  // why its sessions are refused; "" = they are not
};

class FleetView {
 public:
  // What was known of the host before the start. Nothing, once it had a session.
  void Recall(const HostId& host, LiveHost then) ABSL_LOCKS_EXCLUDED(mu_);
  // A session is up: replaces what was known. Until its first report the last one holds.
  void Connected(const HostId& host, LiveHost now) ABSL_LOCKS_EXCLUDED(mu_);
  void Disconnected(const HostId& host, absl::Time at) ABSL_LOCKS_EXCLUDED(mu_);
  // Two machines show the certificate of one host.
  void Conflicting(const HostId& host, std::string why) ABSL_LOCKS_EXCLUDED(mu_);

  void Heard(const HostId& host, absl::Time at) ABSL_LOCKS_EXCLUDED(mu_);
  void Measured(const HostId& host, absl::Duration round_trip) ABSL_LOCKS_EXCLUDED(mu_);
  void Reported(const HostId& host, std::shared_ptr<const v1::HealthReport> health,
                absl::Duration clock_offset) ABSL_LOCKS_EXCLUDED(mu_);
  void Progressed(const HostId& host, LiveProgress progress) ABSL_LOCKS_EXCLUDED(mu_);

  // nullopt: never seen.
  std::optional<LiveHost> Find(const HostId& host) const ABSL_LOCKS_EXCLUDED(mu_);
  std::map<HostId, LiveHost> All() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  mutable Mutex mu_;
  std::map<HostId, LiveHost> hosts_ ABSL_GUARDED_BY(mu_);
};

}  // namespace controller
}  // namespace slipway
