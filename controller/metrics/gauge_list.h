// Families of gauges, written down one after the other. For .cc files that collect.
#pragma once

#include <prometheus/metric_family.h>

#include <string>
#include <utility>
#include <vector>

namespace slipway::controller {

class GaugeList {
 public:
  // A family of one value.
  void Add(const std::string& name, const std::string& help, double value) {
    Begin(name, help);
    Value({}, value);
  }
  // A family whose values follow.
  void Begin(const std::string& name, const std::string& help,
             prometheus::MetricType type = prometheus::MetricType::Gauge) {
    families_.emplace_back();
    families_.back().name = name;
    families_.back().help = help;
    families_.back().type = type;
  }
  void Value(std::vector<prometheus::ClientMetric::Label> labels, double value) {
    prometheus::ClientMetric metric;
    metric.label = std::move(labels);
    metric.gauge.value = metric.counter.value = value;
    families_.back().metric.push_back(std::move(metric));
  }
  std::vector<prometheus::MetricFamily> Take() { return std::move(families_); }

 private:
  std::vector<prometheus::MetricFamily> families_;
};

}  // namespace slipway::controller
