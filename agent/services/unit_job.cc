#include "agent/services/unit_job.h"

#include <algorithm>

#include "common/status_macros.h"

namespace slipway::agent {
namespace {

constexpr absl::Duration kTryAgainAfter = absl::Milliseconds(200);
// The signal of an end that the unit shows already.
constexpr absl::Duration kSignalTakesAtMost = absl::Milliseconds(500);

const absl::Status& StatusOf(const absl::Status& status) {
  return status;
}
template <class T>
const absl::Status& StatusOf(const absl::StatusOr<T>& status) {
  return status.status();
}

}  // namespace

absl::Status UnitJob::Connected() {
  if (session_ != nullptr) return absl::OkStatus();
  SLIPWAY_ASSIGN_OR_RETURN(session_, systemd_.Connect());
  return absl::OkStatus();
}

template <class Call>
auto UnitJob::Persist(Call call) -> decltype(call()) {
  const absl::Duration until = clock_.Monotonic() + patience_;
  while (true) {
    const absl::Status connected = Connected();
    auto answer = connected.ok() ? call() : decltype(call())(connected);
    if (!absl::IsUnavailable(StatusOf(answer)) || clock_.Monotonic() >= until) return answer;
    session_.reset();
    clock_.Sleep(kTryAgainAfter);
  }
}

absl::StatusOr<UnitLook> UnitJob::Look() {
  return Persist([&] { return session_->Look(unit_); });
}

absl::Status UnitJob::Signal(bool all, int signal) {
  return Persist([&] { return session_->Signal(unit_, all, signal); });
}

absl::StatusOr<std::vector<pid_t>> UnitJob::Processes() {
  return Persist([&] { return session_->Processes(unit_); });
}

absl::Status UnitJob::ResetFailed() {
  return Persist([&] { return session_->ResetFailed(unit_); });
}

absl::Status UnitJob::Reload() {
  return Persist([&] { return session_->Reload(); });
}

absl::Status UnitJob::Start() {
  SLIPWAY_RETURN_IF_ERROR(Persist([&] { return session_->Keep(unit_), absl::OkStatus(); }));
  return Queue(&SystemdSession::Start);
}

absl::Status UnitJob::Queue(Verb verb) {
  SLIPWAY_ASSIGN_OR_RETURN(job_, Persist([&] { return (session_.get()->*verb)(unit_); }));
  ended_ = false;
  result_.clear();
  return absl::OkStatus();
}

void UnitJob::Hear(absl::Duration limit) {
  const absl::Duration until = clock_.Monotonic() + limit;
  while (!ended_ && session_ != nullptr) {
    const auto end = session_->NextEnd(std::max(until - clock_.Monotonic(), absl::ZeroDuration()));
    if (absl::IsUnavailable(end.status())) session_.reset();
    if (!end.ok() || !*end) return;
    ended_ = (*end)->job == job_;
    if (ended_) result_ = (*end)->result;
  }
}

absl::StatusOr<UnitLook> UnitJob::WaitAndLook(absl::Duration limit) {
  const bool pending = queued() && !ended_;
  if (pending) {
    Hear(limit);
  } else {
    clock_.Sleep(limit);
  }
  SLIPWAY_ASSIGN_OR_RETURN(const UnitLook look, Look());
  if (pending && !ended_ && look.job != job_) {
    Hear(kSignalTakesAtMost);
    ended_ = true;
  }
  return look;
}

}  // namespace slipway::agent
