// What a host said of itself last, as the registry keeps it: rollouts that are planned before the
// host is back, after a restart of the controller, are planned from that. Load and services are
// left out: they are of the moment.
#pragma once

#include <string>

#include "controller/fleet/fleet_view.h"
#include "controller/registry/records.h"

namespace slipway::controller {

// Version of the agent, labels, facts and applications. "" while it has told nothing of the last;
// the same bytes for the same words.
std::string EncodeLastReport(const LiveHost& host);

// Not connected, last seen when the record says. A report that cannot be read is as good as none.
LiveHost DecodeLastReport(const HostRecord& record);

}  // namespace slipway::controller
