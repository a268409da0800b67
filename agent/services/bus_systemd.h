// The systemd of this host, over its system bus.
#pragma once

#include <memory>

#include "agent/services/systemd.h"

namespace slipway::agent {

class BusSystemd final : public Systemd {
 public:
  absl::StatusOr<std::unique_ptr<SystemdSession>> Connect() const override;
};

}  // namespace slipway::agent
