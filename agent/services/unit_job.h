// A job of systemd, from the order to its end, over a bus that may break meanwhile.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/services/systemd.h"
#include "common/clock.h"

namespace slipway::agent {

// Not thread-safe. `systemd` and `clock` outlive this.
//
// A broken connection is made again for as long as `patience`, as after an upgrade of dbus-daemon
// or of systemd itself; what a call was about is then done again, since to start what runs and to
// stop what does not is nothing. The end of a job that nobody was connected to hear of is seen by
// looking at the unit.
class UnitJob {
 public:
  UnitJob(const Systemd& systemd, const Clock& clock, std::string unit,
          absl::Duration patience = absl::Seconds(30))
      : systemd_(systemd), clock_(clock), unit_(std::move(unit)), patience_(patience) {}

  // As in SystemdSession.
  absl::StatusOr<UnitLook> Look();
  absl::Status Signal(bool all, int signal);
  absl::StatusOr<std::vector<pid_t>> Processes();
  absl::Status ResetFailed();
  absl::Status Reload();

  absl::Status Start();
  absl::Status Stop() { return Queue(&SystemdSession::Stop); }
  // Waits for the end of the job, at most for `limit`, or for just that long when there is no job
  // to wait for; then looks.
  absl::StatusOr<UnitLook> WaitAndLook(absl::Duration limit);

  bool queued() const { return !job_.empty(); }
  bool ended() const { return ended_; }
  // Of one that ended: "done", "failed", …; "" = it ended while nobody was connected.
  const std::string& result() const { return result_; }

 private:
  using Verb = absl::StatusOr<std::string> (SystemdSession::*)(const std::string& unit);

  absl::Status Queue(Verb verb);
  absl::Status Connected();
  // Takes in ends of jobs until ours is among them, at most for `limit`.
  void Hear(absl::Duration limit);
  // Does `call` until the connection outlives it.
  template <class Call>
  auto Persist(Call call) -> decltype(call());

  const Systemd& systemd_;
  const Clock& clock_;
  const std::string unit_;
  const absl::Duration patience_;
  std::unique_ptr<SystemdSession> session_;
  std::string job_;
  bool ended_ = false;
  std::string result_;
};

}  // namespace slipway::agent
