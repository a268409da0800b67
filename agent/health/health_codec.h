// The host's health as it goes over the wire.
#pragma once

#include "common/model/observed.h"

namespace slipway::v1 {
class HealthReport;
}

namespace slipway::agent {

struct HostHealth;

void Encode(const HostHealth& health, v1::HealthReport& out);
// Replaces the versions alone.
void EncodeApps(const Observed& apps, v1::HealthReport& out);

}  // namespace slipway::agent
