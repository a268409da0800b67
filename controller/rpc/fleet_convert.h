// What is known of a host -> v1::Host. Pure.
#pragma once

#include "absl/types/span.h"
#include "controller/fleet/fleet_view.h"
#include "controller/registry/records.h"

namespace slipway::v1 {
class Host;
}

namespace slipway::controller {

struct HostFacts {
  const HostRecord& record;
  const LiveHost* live = nullptr;        // nullptr: never seen
  const HostLock* lock = nullptr;        // nullptr: free
  absl::Span<const Wanted> wanted = {};  // of this host, one for each application
};
void Convert(const HostFacts& facts, v1::Host& host);

// From the facts themselves: a large fleet is looked through without a message for each host.

// Its agent is attached.
bool IsConnected(const HostFacts& facts);
// Connected, and every service is well.
bool IsHealthy(const HostFacts& facts);
// Something that a person should look at.
bool IsException(const HostFacts& facts);

}  // namespace slipway::controller
