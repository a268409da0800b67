// A systemd in memory whose jobs end, get replaced and go unheard on a test's clock.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/services/systemd.h"
#include "agent/services/unit_journal.h"
#include "common/manual_clock.h"

namespace slipway::agent {

// Not thread-safe. Main processes are this one.
class FakeSystemd final : public Systemd {
 public:
  struct Unit {
    UnitLook look = {.load_state = "loaded", .active_state = "inactive", .sub_state = "dead"};
    absl::Duration starts_for = absl::Seconds(1);  // until its start job ends
    absl::Duration stops_for = absl::Seconds(1);
    bool ignores_term = false;
    std::string start_ends = "done";  // result of its next start job
    bool refused = false;             // by polkit
    int starts = 0;
    int stops = 0;
  };

  explicit FakeSystemd(const ManualClock& clock) : clock_(clock) {}
  ~FakeSystemd() override;

  absl::StatusOr<std::unique_ptr<SystemdSession>> Connect() const override;

  Unit& unit(const std::string& name) { return units_[name]; }
  // The next order breaks the connection after it was carried out and before it is answered.
  void BreakAfterOrder() { break_after_order_ = true; }
  // Connections break, now or `in` a while, and cannot be made for `lasts`.
  void GoAway(absl::Duration lasts, absl::Duration in = absl::ZeroDuration());
  // Ends of jobs come before the answers to their orders.
  void EndAtOnce() { end_at_once_ = true; }
  // Somebody shuts the machine down.
  void GoDown() { goes_down_ = true; }
  // Somebody replaces the job that is queued for the unit next, by one of the other kind.
  void ReplaceNextJob() { replace_next_ = true; }

 private:
  class Session;
  struct Job {
    std::string path;
    std::string unit;
    bool start = false;
    absl::Duration ends_at = absl::ZeroDuration();
  };

  std::string Queue(const std::string& unit, bool start);
  void Remove(const Job& job, const std::string& result);
  void Settle();

  const ManualClock& clock_;
  std::map<std::string, Unit> units_;
  std::vector<Job> jobs_;
  mutable std::vector<Session*> sessions_;
  absl::Duration away_from_ = absl::InfiniteDuration();
  absl::Duration away_until_ = -absl::InfiniteDuration();
  bool break_after_order_ = false;
  bool end_at_once_ = false;
  bool replace_next_ = false;
  bool goes_down_ = false;
  int made_ = 0;
};

// Lines of one unit; positions count them.
class FakeJournal final : public UnitJournal {
 public:
  void Add(const std::string& line) { lines_.push_back(line); }
  void SetReason(const std::string& reason) { reason_ = reason; }

  LogPosition End() const override;
  LogPiece Read(const UnitLines& lines, const LogPosition& from,
                std::uint64_t bytes_max) const override;
  std::string LastLines(const UnitLines& lines, const LogPosition& from, int count) const override;
  std::string Reason(const std::string& unit, const LogPosition& from) const override;
  void Settle() const override {}

 private:
  std::vector<std::string> lines_;
  std::string reason_;
};

}  // namespace slipway::agent
