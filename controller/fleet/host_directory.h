// The registry's hosts, in memory: who may come in, who is meant by a selector.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/mutex.h"
#include "controller/fleet/host_gate.h"
#include "controller/registry/registry.h"

namespace slipway::controller {

// Thread-safe. Follows the registry as long as every change of a host is followed by Refresh.
class HostDirectory final : public HostGate {
 public:
  // `registry` outlives the directory. Empty until the first Load.
  explicit HostDirectory(Registry& registry) : registry_(registry) {}

  absl::Status Load() ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status Refresh(const HostId& host) ABSL_LOCKS_EXCLUDED(mu_);

  absl::Status Admit(const HostId& host, std::string_view fingerprint) override
      ABSL_LOCKS_EXCLUDED(mu_);

  // As the record is now: a change makes a new one. nullptr: not enrolled, or retired.
  std::shared_ptr<const HostRecord> Find(const HostId& host) const ABSL_LOCKS_EXCLUDED(mu_);
  // By name; without those that are retired. Copies no record.
  std::vector<std::shared_ptr<const HostRecord>> All() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  Registry& registry_;
  mutable Mutex mu_;
  std::map<HostId, std::shared_ptr<const HostRecord>> hosts_ ABSL_GUARDED_BY(mu_);
};

}  // namespace slipway::controller
