// A queue between threads that cannot grow without end.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <utility>

#include "absl/time/time.h"
#include "common/mutex.h"

namespace slipway {

// Thread-safe.
template <typename T>
class BoundedQueue {
 public:
  explicit BoundedQueue(std::size_t limit) : limit_(limit) {}

  // Never waits. False: the queue is full or closed, and `value` was not taken.
  [[nodiscard]] bool Push(T value) {
    MutexLock lock(mu_);
    if (closed_ || items_.size() >= limit_) return false;
    items_.push_back(std::move(value));
    arrived_.NotifyOne();
    return true;
  }

  // The oldest item, after at most `timeout`. nullopt: none came, or the queue is closed and empty.
  std::optional<T> Pop(absl::Duration timeout) {
    MutexLock lock(mu_);
    while (items_.empty() && !closed_) {
      if (!arrived_.WaitFor(mu_, timeout)) break;
    }
    if (items_.empty()) return std::nullopt;
    std::optional<T> item(std::move(items_.front()));
    items_.pop_front();
    return item;
  }

  // Nothing more is taken; what is in the queue can still be popped.
  void Close() {
    MutexLock lock(mu_);
    closed_ = true;
    arrived_.NotifyAll();
  }

  // How many wait right now.
  std::size_t size() const {
    MutexLock lock(mu_);
    return items_.size();
  }

  bool drained() const {
    MutexLock lock(mu_);
    return closed_ && items_.empty();
  }

 private:
  const std::size_t limit_;
  mutable Mutex mu_;
  CondVar arrived_;
  std::deque<T> items_ ABSL_GUARDED_BY(mu_);
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace slipway
