#include "controller/rpc/refusal_log.h"

#include <iterator>
#include <utility>

namespace slipway::controller {

std::optional<std::uint64_t> RefusalLog::Refused(const std::string& caller) {
  const absl::Duration now = clock_.Monotonic();
  MutexLock lock(mu_);
  const auto it = lines_.find(caller);
  if (it == lines_.end()) {
    MakeRoom(now);
    lines_[caller] = {now};
    return 0;
  }
  if (now - it->second.at < kEvery) {
    ++it->second.left_out;
    return std::nullopt;
  }
  it->second.at = now;
  return std::exchange(it->second.left_out, 0);
}

// Callers of whom nothing was left out go first: nothing is lost with them.
void RefusalLog::MakeRoom(absl::Duration now) {
  if (lines_.size() < callers_max_) return;
  for (auto it = lines_.begin(); it != lines_.end();) {
    it = now - it->second.at >= kEvery && it->second.left_out == 0 ? lines_.erase(it)
                                                                   : std::next(it);
  }
  if (lines_.size() >= callers_max_) lines_.clear();
}

}  // namespace slipway::controller
