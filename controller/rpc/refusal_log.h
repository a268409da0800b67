// How often refused calls get a line in the log: one a minute for each caller.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "common/clock.h"
#include "common/mutex.h"

namespace slipway::controller {

// Thread-safe.
class RefusalLog {
 public:
  static constexpr absl::Duration kEvery = absl::Minutes(1);

  // `clock` outlives it. Remembers up to `callers_max` callers: those of a large fleet.
  explicit RefusalLog(const Clock& clock, std::size_t callers_max = 20'000)
      : clock_(clock), callers_max_(callers_max) {}

  // A call of `caller` was refused: how many lines were left out since its last one; nullopt: this
  // one is left out as well.
  std::optional<std::uint64_t> Refused(const std::string& caller) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Line {
    absl::Duration at;
    std::uint64_t left_out = 0;
  };
  void MakeRoom(absl::Duration now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const Clock& clock_;
  const std::size_t callers_max_;
  Mutex mu_;
  std::map<std::string, Line> lines_ ABSL_GUARDED_BY(mu_);
};

}  // namespace slipway::controller
