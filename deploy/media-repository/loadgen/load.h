// Requests at a constant rate, whatever the answers do.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "deploy/media-repository/loadgen/tally.h"
#include "deploy/media-repository/loadgen/user.h"

namespace media::load {

struct LoadOptions {
  std::string base_url;                      // http://HOST:PORT
  double rate = 20;                          // requests a second
  int users = 16;                            // requests under way at most
  std::chrono::milliseconds timeout{10000};  // of one request
};

// Open loop: request i is due at start + i/rate, and its latency counts from then on, so that a
// service that stands still for a second is charged for every request of that second. Nothing is
// ever sent twice. Runs from construction until Stop.
class Load {
 public:
  // `tally` must outlive the load.
  Load(LoadOptions options, Tally& tally);
  ~Load();

  // No request becomes due any more; returns when all that were due have been counted.
  void Stop();

 private:
  using Clock = std::chrono::steady_clock;

  struct Due {
    std::uint64_t number = 0;
    Clock::time_point at;
  };

  void Schedule();
  void Serve();

  const LoadOptions options_;
  Tally& tally_;
  Uploads uploads_;

  std::mutex mutex_;  // over stopping_ and due_
  std::condition_variable changed_;
  bool stopping_ = false;
  std::deque<Due> due_;

  std::thread scheduler_;
  std::vector<std::thread> users_;
};

}  // namespace media::load
