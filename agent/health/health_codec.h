// The host's health as it goes over the wire.
#pragma once

namespace slipway::v1 {
class HealthReport;
}

namespace slipway::agent {

struct HostHealth;

void Encode(const HostHealth& health, v1::HealthReport& out);

}  // namespace slipway::agent
