#include "agent/services/stop_proof.h"

#include <algorithm>

#include "agent/services/port_proof.h"
#include "common/process/ports.h"
#include "common/status_macros.h"

namespace slipway::agent {
namespace {

constexpr absl::Duration kTick = absl::Milliseconds(100);
constexpr absl::Duration kPortTakesAtMost = absl::Seconds(2);

}  // namespace

void Drain(const Clock& clock, const std::vector<std::uint16_t>& ports, const StopOrder& order,
           StopReport& report) {
  const absl::Duration began = clock.Monotonic();
  const absl::Duration until = std::min(began + order.drain, order.deadline);
  const auto connections = [&] {
    int count = 0;
    for (const std::uint16_t port : ports) count += EstablishedOn(port);
    return count;
  };
  if (order.drain <= absl::ZeroDuration()) return;
  while ((report.connections_left = connections()) > 0 && clock.Monotonic() < until) {
    clock.Sleep(kTick);
  }
  report.drained_for = clock.Monotonic() - began;
}

absl::Status ProvePortsFree(const Clock& clock, const std::vector<std::uint16_t>& ports) {
  const absl::Duration until = clock.Monotonic() + kPortTakesAtMost;
  for (const std::uint16_t port : ports) {
    while (!ListenersOn(port).empty() && clock.Monotonic() < until) clock.Sleep(kTick);
    SLIPWAY_RETURN_IF_ERROR(ProvePortFree(port));
  }
  return absl::OkStatus();
}

}  // namespace slipway::agent
