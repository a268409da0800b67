// What the process uses, looked up when somebody asks.
#pragma once

#include <prometheus/collectable.h>

#include <vector>

#include "absl/time/time.h"

namespace slipway::controller {

// Of the process and the program, under the names that Prometheus has for them.
class ProcessGauges final : public prometheus::Collectable {
 public:
  explicit ProcessGauges(absl::Time started) : started_(started) {}

  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const absl::Time started_;
};

}  // namespace slipway::controller
