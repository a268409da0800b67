// A log file in memory, on a disk that fills up, tears writes and forgets what was not synced.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "agent/state/log_file.h"

namespace slipway::agent {

// Survives the "processes" that use it: drop those, call Restart, open it again.
class FakeLogFile final : public LogFile {
 public:
  // Where in a durable write the process dies. A write is Append and its Sync, or Replace.
  enum class Crash {
    before,    // nothing reached the file
    torn,      // part of it did
    unsynced,  // all of it did, the sync did not
    after,     // all is durable, nobody was told
  };

  explicit FakeLogFile(std::uint64_t seed) : random_(seed) {}

  // From now on `writes` writes go well; the next one crashes.
  void CrashAfter(std::uint64_t writes, Crash how) { crash_ = {writes, how}; }
  // The next sync fails, once, as a dying disk does.
  void FailNextSync() { sync_fails_ = true; }
  // Space left on the disk, the reserve not counted.
  void SetFree(std::uint64_t bytes) { free_ = bytes; }

  // Every operation fails until Restart.
  bool crashed() const { return crashed_; }
  // How it crashed, if it did so as planned.
  std::optional<Crash> crash() const {
    return crashed_ && crash_ ? std::optional(crash_->how) : std::nullopt;
  }
  // The process is dead; the next may open the file. `power_cut`: the machine went down too, and
  // what was not synced is lost, kept in part or kept, by chance.
  void Restart(bool power_cut);

  const std::string& bytes() const { return bytes_; }
  std::string& BytesForTest() { return bytes_; }
  std::uint64_t writes() const { return writes_; }
  std::uint64_t torn() const { return torn_; }
  bool has_reserve() const { return has_reserve_; }

  absl::StatusOr<std::string> Read() override;
  absl::Status Append(std::string_view bytes) override;
  absl::Status Sync() override;
  absl::Status Truncate(std::uint64_t size) override;
  absl::Status Replace(std::string_view bytes) override;
  absl::Status ReleaseReserve() override;
  absl::Status RefillReserve() override;

 private:
  struct Plan {
    std::uint64_t writes = 0;
    Crash how = Crash::before;
  };
  absl::Status Die();
  bool CrashesNow(Crash how) const { return crash_ && crash_->writes == 0 && crash_->how == how; }
  void CountWrite();
  std::uint64_t Below(std::uint64_t bound) { return bound == 0 ? 0 : random_() % bound; }

  std::mt19937_64 random_;
  std::string bytes_;
  std::uint64_t synced_ = 0;  // so many bytes survive a power cut
  std::uint64_t free_ = std::numeric_limits<std::uint64_t>::max() / 2;
  bool has_reserve_ = false;
  std::optional<Plan> crash_;
  bool crashed_ = false;
  bool sync_fails_ = false;
  std::uint64_t writes_ = 0;
  std::uint64_t torn_ = 0;
};

}  // namespace slipway::agent
