// The hosts of a swarm, enrolled all at once and past the enrolment service.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/clock.h"
#include "common/tls/client_config.h"

namespace slipway::swarm {

struct Member {
  std::string host;
  std::string agent_id;
  tls::KeyMaterial trust;
};

struct Order {
  std::string controller_dir;  // initialised, and no controller runs there
  int hosts = 0;
  std::string prefix;  // hosts are called PREFIX-1, PREFIX-2, …
  std::map<std::string, std::string> labels;
};

// Makes a key for each host, signs it with the controller's own authority and writes the host into
// its registry. Hosts that are there already get a new certificate. Errors: FAILED_PRECONDITION (a
// controller runs there); those of the authority and the registry.
absl::StatusOr<std::vector<Member>> Enrol(const Order& order, const Clock& clock);

// The file in which a controller says where it listens, as long as it does.
class Endpoints {
 public:
  // Made while no controller runs in `dir`: what the file says now is of an earlier one.
  explicit Endpoints(const std::string& dir);
  // Where agents are to dial, once the controller listens. DEADLINE_EXCEEDED.
  absl::StatusOr<std::string> AwaitAgents(absl::Duration patience, const Clock& clock) const;

 private:
  const std::string path_;
  const absl::Time old_;
};

}  // namespace slipway::swarm
