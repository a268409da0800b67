// GET /metrics in Prometheus's text format. The one door to prometheus-cpp's own HTTP server.
#pragma once

#include <prometheus/collectable.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace prometheus {
class Exposer;
}

namespace slipway::controller {

// Plain HTTP without asking who reads: for loopback, or a network that may know these numbers.
class MetricsListener {
 public:
  // Listens when it returns. `address` is host:port; port 0: the kernel chooses.
  // UNAVAILABLE: the port is in use, or there is no such address.
  static absl::StatusOr<std::unique_ptr<MetricsListener>> Start(
      const std::string& address, std::vector<std::shared_ptr<prometheus::Collectable>> sources);
  // Waits for the answers that are under way.
  ~MetricsListener();

  // host:port that is listened on.
  const std::string& address() const { return address_; }

 private:
  MetricsListener(std::unique_ptr<prometheus::Exposer> exposer, std::string address,
                  std::vector<std::shared_ptr<prometheus::Collectable>> sources);

  const std::vector<std::shared_ptr<prometheus::Collectable>> sources_;
  const std::unique_ptr<prometheus::Exposer> exposer_;
  const std::string address_;
};

}  // namespace slipway::controller
