#include "agent/services/systemd_service_manager.h"

#include <sys/wait.h>

#include <algorithm>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/services/exec_spec.h"
#include "agent/services/port_proof.h"
#include "agent/services/stop_proof.h"
#include "agent/services/unit_status.h"
#include "common/process/proc.h"
#include "common/status_macros.h"

namespace slipway::agent {
namespace {

// Who only looks is not to hang where systemd does.
constexpr absl::Duration kLookTakesAtMost = absl::Seconds(2);
constexpr absl::Duration kTick = absl::Milliseconds(100);
constexpr absl::Duration kBeganEarlierAtMost = absl::Seconds(30);
// From fork to exec, in the units that systemd calls active once they are forked.
constexpr absl::Duration kExecTakesAtMost = absl::Seconds(10);

std::string UnitOf(const std::optional<UnitRecord>& record, const StopOrder& order) {
  return order.unit.empty() && record ? record->spec.unit : order.unit;
}

UnitLines LinesOf(const UnitRecord& record) {
  return {.unit = record.spec.unit,
          .not_of = record.before,
          .only_of = record.taken_over ? record.invocation : ""};
}

}  // namespace

class SystemdServiceManager::Turn {
 public:
  Turn(SystemdServiceManager& of, const ServiceId& id) : of_(of), id_(id) {
    MutexLock lock(of_.mu_);
    while (!of_.busy_.insert(id_).second) of_.turn_over_.Wait(of_.mu_);
  }
  ~Turn() {
    MutexLock lock(of_.mu_);
    of_.busy_.erase(id_);
    of_.turn_over_.NotifyAll();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  SystemdServiceManager& of_;
  const ServiceId id_;
};

absl::Status SystemdServiceManager::Start(const ServiceSpec& spec) {
  const Turn turn(*this, spec.id);
  UnitJob job(systemd_, clock_, spec.unit);
  SLIPWAY_ASSIGN_OR_RETURN(UnitLook look, job.Look());
  if (look.changed_on_disk || look.load_state != "loaded") {
    // systemd 252 cannot load again what failed while its file was away, unless it forgot it.
    if (look.gone()) (void)job.ResetFailed();
    SLIPWAY_RETURN_IF_ERROR(job.Reload());
    SLIPWAY_ASSIGN_OR_RETURN(look, job.Look());
  }
  const ServiceStatus status = StatusOf({.spec = spec}, look);
  if (status.state == ServiceStatus::State::running) return Join(job, spec, look);
  return StartFresh(job, spec, look);
}

absl::Status SystemdServiceManager::Join(UnitJob& job, const ServiceSpec& spec,
                                         const UnitLook& look) {
  auto record = records_.Find(spec.id);
  const bool ours = record && record->spec.unit == spec.unit && !record->stopping;
  const std::string release_dir =
      ReleaseDirOf(ours ? *record : UnitRecord{.spec = {.id = spec.id}}, look);
  if (release_dir != spec.release_dir) {
    return absl::FailedPreconditionError(absl::StrCat(
        spec.id.name, " (", spec.unit, ") runs from ",
        release_dir.empty() ? "something that is no release of " + spec.id.app : release_dir,
        "; stop it first"));
  }
  if (look.active_state == "deactivating") {
    return absl::FailedPreconditionError(
        absl::StrCat(spec.unit, " is still on its way down; stop it first"));
  }
  if (!ours) {
    // Its log began with its invocation, a little before systemd took the time of that.
    record =
        UnitRecord{.spec = spec,
                   .log_start = spec.log_file.empty() ? PositionAt(look.began - kBeganEarlierAtMost)
                                                      : EndOfLog(spec.log_file),
                   .taken_over = true};
  }
  if (look.active_state == "activating") SLIPWAY_RETURN_IF_ERROR(job.Start());
  SLIPWAY_ASSIGN_OR_RETURN(const UnitLook up, WaitUntilUp(job, spec));
  SLIPWAY_RETURN_IF_ERROR(Remember(*record, up));
  return Judge(job, *record, look, up);
}

absl::Status SystemdServiceManager::StartFresh(UnitJob& job, const ServiceSpec& spec,
                                               const UnitLook& look) {
  if (look.load_state != "loaded") {
    const std::string name = look.load_state == "not-found" ? "NoSuchUnit"
                             : look.load_state == "masked"  ? "UnitMasked"
                                                            : "LoadFailed";
    return FromBusError("org.freedesktop.systemd1." + name,
                        absl::StrCat("Unit ", spec.unit, " is ", look.load_state,
                                     look.load_error.empty() ? "." : ": " + look.load_error + "."),
                        "start " + spec.id.name);
  }
  for (const std::uint16_t port : spec.ports) SLIPWAY_RETURN_IF_ERROR(ProvePortFree(port));
  journal_.Settle();
  UnitRecord record{.spec = spec,
                    .log_start = spec.log_file.empty() ? journal_.End() : EndOfLog(spec.log_file),
                    .before = look.invocation,
                    .process = {.boot_id = BootId()}};
  SLIPWAY_RETURN_IF_ERROR(records_.Write(record));
  // Somebody wants it to run: that it was started too often lately is about something else.
  const absl::Status reset = job.ResetFailed();
  if (!reset.ok() && !absl::IsNotFound(reset)) return reset;
  SLIPWAY_RETURN_IF_ERROR(job.Start());
  SLIPWAY_ASSIGN_OR_RETURN(const UnitLook up, WaitUntilUp(job, spec));
  SLIPWAY_RETURN_IF_ERROR(Remember(record, up));
  return Judge(job, record, look, up);
}

absl::StatusOr<UnitLook> SystemdServiceManager::WaitUntilUp(UnitJob& job, const ServiceSpec& spec) {
  const absl::Duration until = clock_.Monotonic() + spec.up_within;
  absl::Duration executed_by = until;
  SLIPWAY_ASSIGN_OR_RETURN(UnitLook look, job.Look());
  while (!look.gone() && !Executes(look.main_pid)) {
    const bool job_over = !job.queued() || job.ended();
    // Up without a main process: that is how some units are.
    if (job_over && look.active_state == "active" && look.main_pid == 0) break;
    if (job_over) executed_by = std::min(executed_by, clock_.Monotonic() + kExecTakesAtMost);
    if (clock_.Monotonic() >= executed_by) {
      return absl::DeadlineExceededError(
          absl::StrCat(spec.id.name, " (", spec.unit, ") is not up within ",
                       absl::FormatDuration(spec.up_within), ": systemd says ", look.active_state,
                       " (", look.sub_state, ")"));
    }
    SLIPWAY_ASSIGN_OR_RETURN(look, job.WaitAndLook(kTick));
  }
  // What became of the job, where that is known by now.
  if (job.queued() && !job.ended()) {
    SLIPWAY_ASSIGN_OR_RETURN(look, job.WaitAndLook(kTick));
  }
  return look;
}

absl::Status SystemdServiceManager::Remember(UnitRecord record, const UnitLook& look) const {
  if (look.invocation != record.before) record.invocation = look.invocation;
  if (const auto process = IdentityOf(look.main_pid)) {
    record.process = *process;
    record.executable = ExecutableOf(look.main_pid);
  }
  return records_.Write(record);
}

absl::Status SystemdServiceManager::Judge(const UnitJob& job, const UnitRecord& record,
                                          const UnitLook& earlier, const UnitLook& look) const {
  const ServiceSpec& spec = record.spec;
  const auto failed = [&](const std::string& otherwise) {
    journal_.Settle();
    const std::string reason = journal_.Reason(spec.unit, record.log_start);
    return absl::StrCat(spec.id.name, " could not be started: ", spec.unit, ": ",
                        reason.empty() ? otherwise : reason);
  };
  if (FailedToExecute(look)) {
    return absl::InternalError(
        failed(absl::StrCat("systemd ended it with status ", look.main_status)));
  }
  // It ran, or runs: whether it is any good is another question.
  if (!look.gone() || look.main_began > earlier.main_began) return absl::OkStatus();
  if (job.result() == "canceled") {
    return absl::AbortedError(absl::StrCat(
        spec.id.name, " was not started: somebody else ordered otherwise for ", spec.unit));
  }
  if (job.result() == "dependency") {
    return absl::FailedPreconditionError(failed("a unit that it needs did not start"));
  }
  if (!look.conditions_met) {
    return absl::FailedPreconditionError(failed("a condition of the unit is not met"));
  }
  return absl::InternalError(failed(absl::StrCat(
      "job ", job.result().empty() ? "ended" : job.result(), ", result ", look.result)));
}

absl::StatusOr<StopReport> SystemdServiceManager::Stop(const ServiceId& id,
                                                       const StopOrder& order) {
  const Turn turn(*this, id);
  StopReport report;
  const absl::Duration began = clock_.Monotonic();
  auto record = records_.Find(id);
  const std::string unit = UnitOf(record, order);
  if (unit.empty()) {
    SLIPWAY_RETURN_IF_ERROR(ProvePortsFree(clock_, order.ports));
    return report;
  }
  if (!record || record->spec.unit != unit) record = UnitRecord{.spec = {.id = id, .unit = unit}};
  UnitJob job(systemd_, clock_, unit);
  SLIPWAY_ASSIGN_OR_RETURN(const UnitLook look, job.Look());
  if (!look.gone()) {
    report.was_running = true;
    if (look.main_pid != 0) record->executable = ExecutableOf(look.main_pid);
    record->stopping = true;
    SLIPWAY_RETURN_IF_ERROR(records_.Write(*record));
    SLIPWAY_RETURN_IF_ERROR(End(job, *record, order, report));
  }
  SLIPWAY_RETURN_IF_ERROR(ProveGone(job, *record, order));
  report.took = clock_.Monotonic() - began;
  return report;
}

absl::Status SystemdServiceManager::End(UnitJob& job, const UnitRecord& record,
                                        const StopOrder& order, StopReport& report) {
  std::vector<std::uint16_t> ports = record.spec.ports;
  ports.insert(ports.end(), order.ports.begin(), order.ports.end());
  Drain(clock_, ports, order, report);
  SLIPWAY_RETURN_IF_ERROR(Climb(job, record, order, report));
  const absl::Duration left = order.deadline - clock_.Monotonic();
  SLIPWAY_ASSIGN_OR_RETURN(
      const bool ended,
      EndsWithin(job, std::min(kKillTakesAtMost, std::max(left, absl::ZeroDuration()))));
  SLIPWAY_ASSIGN_OR_RETURN(const UnitLook look, job.Look());
  if (ended) {
    // Its own TimeoutStopSec= may be shorter than our patience.
    if (report.signal != 0 && look.main_code == CLD_KILLED && look.main_status == SIGKILL) {
      report.signal = SIGKILL;
    }
    return absl::OkStatus();
  }
  return absl::DeadlineExceededError(absl::StrCat(
      record.spec.id.name, " (", record.spec.unit, ", pid ", look.main_pid, ") is ",
      look.active_state, " after ", report.signal == 0 ? "the drain" : SignalName(report.signal),
      job.result() == "canceled" ? ", since somebody else started it again" : ""));
}

absl::Status SystemdServiceManager::Climb(UnitJob& job, const UnitRecord& record,
                                          const StopOrder& order, StopReport& report) {
  for (const Rung& rung : order.ladder) {
    const absl::Duration left = order.deadline - clock_.Monotonic();
    if (left <= absl::ZeroDuration()) {
      return absl::DeadlineExceededError(
          absl::StrCat(record.spec.id.name, " is still running at the deadline of the stop"));
    }
    SLIPWAY_ASSIGN_OR_RETURN(const bool ended, EndsWithin(job, std::min(rung.wait, left)));
    if (ended) return absl::OkStatus();
    if (rung.signal != 0) SLIPWAY_RETURN_IF_ERROR(SendRung(job, rung.signal, report));
  }
  return absl::OkStatus();
}

absl::Status SystemdServiceManager::SendRung(UnitJob& job, int signal, StopReport& report) {
  report.signal = signal;
  SLIPWAY_ASSIGN_OR_RETURN(const UnitLook look, job.Look());
  bool sent = false;
  if (!job.queued() || job.result() == "canceled") {
    // Without a stop of systemd's own, Restart= would bring back what a signal ends.
    SLIPWAY_RETURN_IF_ERROR(job.Stop());
    sent = signal == look.stop_signal;
  }
  return sent ? absl::OkStatus() : job.Signal(signal == SIGKILL, signal);
}

absl::StatusOr<bool> SystemdServiceManager::EndsWithin(UnitJob& job, absl::Duration limit) {
  const absl::Duration until = clock_.Monotonic() + limit;
  SLIPWAY_ASSIGN_OR_RETURN(UnitLook look, job.Look());
  while (true) {
    SLIPWAY_ASSIGN_OR_RETURN(const std::vector<pid_t> left, job.Processes());
    if (look.gone() && left.empty()) return true;
    const absl::Duration more = until - clock_.Monotonic();
    if (more <= absl::ZeroDuration()) return false;
    SLIPWAY_ASSIGN_OR_RETURN(look, job.WaitAndLook(std::min(kTick, more)));
  }
}

absl::Status SystemdServiceManager::ProveGone(UnitJob& job, const UnitRecord& record,
                                              const StopOrder& order) {
  SLIPWAY_ASSIGN_OR_RETURN(std::vector<pid_t> left, job.Processes());
  const auto kills = [](const Rung& rung) { return rung.signal == SIGKILL; };
  if (!left.empty() && std::any_of(order.ladder.begin(), order.ladder.end(), kills)) {
    // Left behind by a unit with KillMode=process that ended before we came.
    SLIPWAY_RETURN_IF_ERROR(job.Signal(true, SIGKILL));
    SLIPWAY_RETURN_IF_ERROR(EndsWithin(job, kKillTakesAtMost).status());
    SLIPWAY_ASSIGN_OR_RETURN(left, job.Processes());
  }
  if (!left.empty()) {
    return absl::DeadlineExceededError(absl::StrCat("pid ", left.front(), " (",
                                                    CommandLineOf(left.front()), ") of ",
                                                    record.spec.unit, " is still running"));
  }
  SLIPWAY_RETURN_IF_ERROR(ProveNobodyExecutes(record));
  std::vector<std::uint16_t> ports = order.ports;
  ports.insert(ports.end(), record.spec.ports.begin(), record.spec.ports.end());
  return ProvePortsFree(clock_, ports);
}

// Nobody executes the file of the service: not after leaving its unit's control group either.
// Interpreters are everybody's, so that only a file of the app tells anything.
absl::Status SystemdServiceManager::ProveNobodyExecutes(const UnitRecord& record) const {
  if (!absl::StartsWith(record.executable, record.spec.id.app + "/releases/")) {
    return absl::OkStatus();
  }
  std::vector<pid_t> others;
  for (const UnitRecord& other : records_.All()) {
    if (other.executable != record.executable || other.spec.unit == record.spec.unit) continue;
    SLIPWAY_ASSIGN_OR_RETURN(const std::vector<pid_t> theirs,
                             UnitJob(systemd_, clock_, other.spec.unit).Processes());
    others.insert(others.end(), theirs.begin(), theirs.end());
  }
  return ProveNobodyRuns(record.executable, "", others);
}

ServiceStatus SystemdServiceManager::Inspect(const ServiceId& id) const {
  const auto record = records_.Find(id);
  if (!record) return {};
  const auto look = UnitJob(systemd_, clock_, record->spec.unit, kLookTakesAtMost).Look();
  if (!look.ok()) return StatusUnseen(*record, look.status());
  ServiceStatus status = StatusOf(*record, *look);
  // All words of one that died can be read from now on.
  if (status.state == ServiceStatus::State::died) journal_.Settle();
  return status;
}

std::vector<ServiceId> SystemdServiceManager::Services() const {
  std::vector<ServiceId> services;
  for (const UnitRecord& record : records_.All()) services.push_back(record.spec.id);
  return services;
}

LogPiece SystemdServiceManager::ReadLog(const ServiceId& id, const LogPosition& from,
                                        std::uint64_t bytes_max) const {
  const auto record = records_.Find(id);
  if (!record) return {.bytes = "", .next = from};
  if (!record->spec.log_file.empty()) return agent::ReadLog(record->spec.log_file, from, bytes_max);
  return journal_.Read(LinesOf(*record), from, bytes_max);
}

std::string SystemdServiceManager::LastLines(const ServiceId& id, const LogPosition& from,
                                             int lines) const {
  const auto record = records_.Find(id);
  if (!record) return "";
  if (!record->spec.log_file.empty()) return agent::LastLines(record->spec.log_file, from, lines);
  return journal_.LastLines(LinesOf(*record), from, lines);
}

}  // namespace slipway::agent
