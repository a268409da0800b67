#include "deploy/media-repository/loadgen/tally.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "deploy/media-repository/asset.h"

namespace media::load {
namespace {

constexpr double kWidth = 1.02;

}  // namespace

void Histogram::Add(std::chrono::microseconds latency) {
  const double micros = std::max<double>(1.0, static_cast<double>(latency.count()));
  const int bucket = static_cast<int>(std::log(micros) / std::log(kWidth));
  ++counts_[std::min(bucket, kBuckets - 1)];
  ++total_;
}

double Histogram::QuantileMillis(double quantile) const {
  if (total_ == 0) return 0;
  const auto rank = static_cast<std::int64_t>(std::ceil(quantile * static_cast<double>(total_)));
  std::int64_t seen = 0;
  int bucket = 0;
  for (; bucket < kBuckets - 1; ++bucket) {
    seen += counts_[bucket];
    if (seen >= std::max<std::int64_t>(rank, 1)) break;
  }
  return std::round(std::pow(kWidth, bucket + 1)) / 1000.0;
}

void Tally::Add(const Outcome& outcome) {
  const std::scoped_lock lock(mutex_);
  ++requests_;
  ++by_status_[outcome.status];
  latencies_.Add(outcome.latency);
  if (outcome.failure.empty()) return;
  ++failed_;
  if (first_failures_.size() == kFailuresKept) return;
  first_failures_.push_back(
      absl::StrCat(FormatTime(NowMillis()), " ", outcome.request, ": ", outcome.failure));
}

std::int64_t Tally::failed() const {
  const std::scoped_lock lock(mutex_);
  return failed_;
}

std::string Tally::ToJson(bool running) const {
  const std::scoped_lock lock(mutex_);
  const nlohmann::ordered_json json = {
      {"requests", requests_},
      {"failed", failed_},
      {"running", running},
      {"by_status", by_status_},
      {"first_failures", first_failures_},
      {"p50_ms", latencies_.QuantileMillis(0.50)},
      {"p99_ms", latencies_.QuantileMillis(0.99)},
      {"max_ms", latencies_.QuantileMillis(1.0)},
  };
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

absl::Status WriteWhole(const std::string& path, const std::string& text) {
  const std::string part = path + ".part";
  std::ofstream file(part, std::ios::trunc);
  file << text << std::flush;
  if (!file) return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", part));
  file.close();
  if (std::rename(part.c_str(), path.c_str()) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot replace ", path));
  }
  return absl::OkStatus();
}

}  // namespace media::load
