// What is known of a host -> v1::Host. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "controller/fleet/fleet_view.h"
#include "controller/registry/records.h"

namespace slipway::v1 {
class Host;
}

namespace slipway::controller {

struct HostFacts {
  const HostRecord& record;
  const LiveHost* live = nullptr;                    // nullptr: never seen
  const HostLock* lock = nullptr;                    // nullptr: free
  std::map<std::string, const Wanted*> wanted = {};  // by application directory
};
void Convert(const HostFacts& facts, v1::Host& host);

// Connected, every service well and every application where it should be well.
bool IsHealthy(const v1::Host& host);
// Something that a person should look at.
bool IsException(const v1::Host& host);

}  // namespace slipway::controller
