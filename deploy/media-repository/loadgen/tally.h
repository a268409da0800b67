// What a load run has counted so far.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace media::load {

// One finished request.
struct Outcome {
  std::string request;                     // "GET /api/images"
  std::string status;                      // HTTP status, or "timeout", "connection" …
  std::string failure = {};                // why the answer does not count; empty: it does
  std::chrono::microseconds latency = {};  // from the moment when the request was due
};

// Latencies in buckets that are 2 % wide: a quantile is wrong by at most that.
class Histogram {
 public:
  void Add(std::chrono::microseconds latency);

  // The latency that the share `quantile` (0 to 1) of all stays within, in milliseconds; 0 when
  // there is none.
  double QuantileMillis(double quantile) const;

 private:
  static constexpr int kBuckets = 1000;  // 1 us to 400 s

  std::array<std::int64_t, kBuckets> counts_ = {};
  std::int64_t total_ = 0;
};

// Thread-safe.
class Tally {
 public:
  void Add(const Outcome& outcome);

  std::int64_t failed() const;

  // `{"requests":N,"failed":N,"running":…,"by_status":{…},"first_failures":[…],"p50_ms":…,…}`
  std::string ToJson(bool running) const;

 private:
  static constexpr std::size_t kFailuresKept = 20;

  mutable std::mutex mutex_;  // over all below
  std::int64_t requests_ = 0;
  std::int64_t failed_ = 0;
  std::map<std::string, std::int64_t> by_status_;
  std::vector<std::string> first_failures_;
  Histogram latencies_;
};

// Replaces `path` by `text` in one step: a reader sees the old or the new file, whole.
absl::Status WriteWhole(const std::string& path, const std::string& text);

}  // namespace media::load
