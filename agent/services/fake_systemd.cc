#include "agent/services/fake_systemd.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <deque>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/status_macros.h"

namespace slipway::agent {

class FakeSystemd::Session final : public SystemdSession {
 public:
  explicit Session(FakeSystemd& of) : of_(of) { of_.sessions_.push_back(this); }
  ~Session() override {
    auto& all = of_.sessions_;
    all.erase(std::remove(all.begin(), all.end(), this), all.end());
  }

  absl::StatusOr<UnitLook> Look(const std::string& unit) override {
    SLIPWAY_RETURN_IF_ERROR(Open());
    UnitLook look = of_.unit(unit).look;
    for (const Job& job : of_.jobs_) {
      if (job.unit == unit) look.job = job.path;
    }
    return look;
  }
  void Keep(const std::string&) override {}
  absl::StatusOr<std::string> Start(const std::string& unit) override { return Order(unit, true); }
  absl::StatusOr<std::string> Stop(const std::string& unit) override { return Order(unit, false); }

  absl::StatusOr<std::optional<JobEnd>> NextEnd(absl::Duration limit) override {
    SLIPWAY_RETURN_IF_ERROR(Open());
    if (ends_.empty()) of_.clock_.Sleep(limit);
    SLIPWAY_RETURN_IF_ERROR(Open());
    if (ends_.empty()) return std::optional<JobEnd>();
    JobEnd end = ends_.front();
    ends_.pop_front();
    return std::optional<JobEnd>(end);
  }
  absl::Status Signal(const std::string& unit, bool, int signal) override {
    SLIPWAY_RETURN_IF_ERROR(Open());
    if (signal != SIGKILL && of_.unit(unit).ignores_term) return absl::OkStatus();
    for (Job& job : of_.jobs_) {
      if (job.unit == unit && !job.start) job.ends_at = of_.clock_.Monotonic();
    }
    return absl::OkStatus();
  }
  absl::StatusOr<std::vector<pid_t>> Processes(const std::string& unit) override {
    SLIPWAY_RETURN_IF_ERROR(Open());
    const pid_t pid = of_.unit(unit).look.main_pid;
    return pid == 0 ? std::vector<pid_t>() : std::vector<pid_t>{pid};
  }
  absl::Status ResetFailed(const std::string&) override { return Open(); }
  absl::Status Reload() override { return Open(); }
  absl::StatusOr<bool> GoesDown() override {
    SLIPWAY_RETURN_IF_ERROR(Open());
    return of_.goes_down_;
  }

  void Hear(const JobEnd& end) { ends_.push_back(end); }
  void Break() { broken_ = true; }

 private:
  absl::Status Open() {
    of_.Settle();
    return broken_ ? absl::UnavailableError("the bus is gone") : absl::OkStatus();
  }
  absl::StatusOr<std::string> Order(const std::string& unit, bool start) {
    SLIPWAY_RETURN_IF_ERROR(Open());
    if (of_.unit(unit).refused) {
      return FromBusError("org.freedesktop.DBus.Error.AccessDenied", "Access denied",
                          "start " + unit);
    }
    std::string job = of_.Queue(unit, start);
    if (std::exchange(of_.break_after_order_, false)) of_.GoAway(absl::ZeroDuration());
    SLIPWAY_RETURN_IF_ERROR(Open());
    return job;
  }

  FakeSystemd& of_;
  bool broken_ = false;
  std::deque<JobEnd> ends_;
};

FakeSystemd::~FakeSystemd() = default;

absl::StatusOr<std::unique_ptr<SystemdSession>> FakeSystemd::Connect() const {
  auto& self = const_cast<FakeSystemd&>(*this);
  self.Settle();
  if (clock_.Monotonic() < away_until_) return absl::UnavailableError("the bus is gone");
  return std::make_unique<Session>(self);
}

void FakeSystemd::GoAway(absl::Duration lasts, absl::Duration in) {
  away_from_ = clock_.Monotonic() + in;
  away_until_ = away_from_ + lasts;
  Settle();
}

std::string FakeSystemd::Queue(const std::string& name, bool start) {
  Unit& queued = units_[name];
  for (std::size_t i = 0; i < jobs_.size(); ++i) {
    if (jobs_[i].unit != name) continue;
    if (jobs_[i].start == start) return jobs_[i].path;
    const Job replaced = jobs_[i];
    jobs_.erase(jobs_.begin() + static_cast<std::ptrdiff_t>(i));
    Remove(replaced, "canceled");
  }
  ++(start ? queued.starts : queued.stops);
  const bool nothing_to_do = start == (queued.look.active_state == "active");
  absl::Duration lasts = start ? queued.starts_for : queued.stops_for;
  if (!start && queued.ignores_term) lasts = absl::Hours(1);
  const Job job{.path = absl::StrCat("/job/", ++made_),
                .unit = name,
                .start = start,
                .ends_at = clock_.Monotonic() + (nothing_to_do ? absl::ZeroDuration() : lasts)};
  if (start && !nothing_to_do) {
    queued.look.active_state = "activating";
    queued.look.invocation = absl::StrCat("invocation-", made_);
  }
  jobs_.push_back(job);
  if (std::exchange(replace_next_, false)) Queue(name, !start);
  if (end_at_once_) {
    jobs_.back().ends_at = clock_.Monotonic();
    Settle();
  }
  return job.path;
}

void FakeSystemd::Remove(const Job& job, const std::string& result) {
  for (Session* session : sessions_) session->Hear({job.path, result});
}

void FakeSystemd::Settle() {
  if (clock_.Monotonic() >= away_from_) {
    away_from_ = absl::InfiniteDuration();
    for (Session* session : sessions_) session->Break();
  }
  for (std::size_t i = 0; i < jobs_.size();) {
    const Job job = jobs_[i];
    if (job.ends_at > clock_.Monotonic()) {
      ++i;
      continue;
    }
    jobs_.erase(jobs_.begin() + static_cast<std::ptrdiff_t>(i));
    Unit& unit = units_[job.unit];
    const bool up = job.start && unit.start_ends == "done";
    unit.look.active_state = up ? "active" : job.start ? "failed" : "inactive";
    unit.look.main_pid = up ? getpid() : 0;
    if (up) unit.look.main_began = clock_.Now();
    if (!job.start) unit.look.main_code = CLD_KILLED;
    if (!job.start) unit.look.main_status = SIGTERM;
    Remove(job, job.start ? unit.start_ends : "done");
  }
}

LogPosition FakeJournal::End() const {
  return {.cursor = absl::StrCat(lines_.size())};
}

LogPiece FakeJournal::Read(const UnitLines&, const LogPosition& from,
                           std::uint64_t bytes_max) const {
  LogPiece piece{.bytes = "", .next = from};
  std::size_t at = 0;
  if (!absl::SimpleAtoi(from.cursor, &at)) return piece;
  for (; at < lines_.size() && piece.bytes.size() < bytes_max; ++at)
    piece.bytes += lines_[at] + "\n";
  piece.next.cursor = absl::StrCat(at);
  return piece;
}

std::string FakeJournal::LastLines(const UnitLines&, const LogPosition&, int count) const {
  const std::size_t skip = lines_.size() - std::min<std::size_t>(lines_.size(), count);
  return absl::StrJoin(lines_.begin() + static_cast<std::ptrdiff_t>(skip), lines_.end(), "\n");
}

std::string FakeJournal::Reason(const std::string&, const LogPosition&) const {
  return reason_;
}

}  // namespace slipway::agent
