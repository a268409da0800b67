// Virtual time: what is to happen, in order. One thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "absl/time/time.h"

namespace slipway::sim {

class Timeline {
 public:
  absl::Time Now() const { return now_; }

  // At the same time: in the order of the calls.
  void After(absl::Duration delay, std::function<void()> what) {
    const absl::Time at = now_ + std::max(delay, absl::ZeroDuration());
    heap_.push_back({at, next_++, std::move(what)});
    std::push_heap(heap_.begin(), heap_.end());
  }

  // Lets the next thing happen. False: nothing is left to happen.
  bool Step() {
    if (heap_.empty()) return false;
    std::pop_heap(heap_.begin(), heap_.end());
    Entry entry = std::move(heap_.back());
    heap_.pop_back();
    now_ = entry.at;
    ++steps_;
    entry.what();
    return true;
  }

  std::uint64_t steps() const { return steps_; }

 private:
  struct Entry {
    absl::Time at;
    std::uint64_t order = 0;
    std::function<void()> what;
    // The heap keeps its largest in front: that is the earliest.
    bool operator<(const Entry& other) const {
      return std::pair(at, order) > std::pair(other.at, other.order);
    }
  };

  absl::Time now_ = absl::FromUnixSeconds(1'700'000'000);
  std::uint64_t next_ = 0;
  std::uint64_t steps_ = 0;
  std::vector<Entry> heap_;
};

}  // namespace slipway::sim
