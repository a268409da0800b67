#include "agent/services/unit_status.h"

#include <sys/wait.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/services/exec_spec.h"
#include "common/process/proc.h"

namespace slipway::agent {
namespace {

using State = ServiceStatus::State;

// Between its end and the restart that its unit orders.
bool WaitsForRestart(const UnitLook& look) {
  return look.active_state == "activating" && absl::StartsWith(look.sub_state, "auto-restart");
}

// "APP/releases/x" of "APP/releases/x/bin/y", else "".
std::string ReleaseAbove(const std::string& app, const std::string& path) {
  const std::string releases = app + "/releases/";
  if (!absl::StartsWith(path, releases)) return "";
  return path.substr(0, path.find('/', releases.size()));
}

// Never started since our record was written, or since the machine came up.
bool NeverStarted(const UnitRecord& record, const UnitLook& look) {
  return record.invocation.empty() && look.invocation == record.before;
}

// systemd knows nothing of a start that it made: it ended well and was forgotten, or the machine
// did.
void FillForgotten(const UnitRecord& record, ServiceStatus& status) {
  const std::string& boot = record.process.boot_id;
  status.with_machine = !boot.empty() && boot != BootId();
  status.ended = status.with_machine ? "ended with the machine, and systemd did not start it since"
                                     : "ended by itself";
}

void FillProcess(const UnitLook& look, ServiceStatus& status) {
  // While its end is under way it is still spoken of by the process that it was.
  status.pid = look.main_pid != 0 ? look.main_pid : look.last_main_pid;
  if (look.main_pid == 0) return;
  if (const auto stat = ReadProcessStat(look.main_pid)) status.rss_bytes = stat->rss_bytes;
  status.executable = ExecutableOf(look.main_pid);
  status.working_dir = WorkingDirectoryOf(look.main_pid);
  status.release_env = EnvironmentOf(look.main_pid, "SLIPWAY_RELEASE").value_or("");
}

}  // namespace

bool Executes(pid_t pid) {
  if (pid == 0) return false;
  const std::string executable = ExecutableOf(pid);
  if (!executable.empty()) return executable != ExecutableOf(1);
  return ReadProcessStat(pid).has_value();  // that we may not look into
}

bool FailedToExecute(const UnitLook& look) {
  return look.main_code == CLD_EXITED && look.main_status >= 200 && look.main_status < 250;
}

std::string HowItEnded(const UnitLook& look) {
  if (look.load_state == "not-found") return "is gone, its unit too";
  std::string text = "ended";
  if (look.main_code == CLD_EXITED) text = Describe(ExecExit{.code = look.main_status});
  if (look.main_code == CLD_KILLED || look.main_code == CLD_DUMPED) {
    text = Describe(ExecExit{.signal = look.main_status});
  }
  // What the status of the process tells already needs no second word.
  if (!look.result.empty() && look.result != "success" && look.result != "exit-code" &&
      look.result != "signal" && look.result != "core-dump") {
    absl::StrAppend(&text, " (systemd: ", look.result, ")");
  }
  if (WaitsForRestart(look)) absl::StrAppend(&text, " (systemd restarts it)");
  return text;
}

std::string ReleaseDirOf(const UnitRecord& record, const UnitLook& look) {
  if (look.main_pid != 0) {
    for (const std::string& path :
         {ExecutableOf(look.main_pid), WorkingDirectoryOf(look.main_pid)}) {
      const std::string release = ReleaseAbove(record.spec.id.app, path);
      if (!release.empty()) return release;
    }
  }
  return record.spec.release_dir;
}

ServiceStatus StatusOf(const UnitRecord& record, const UnitLook& look) {
  ServiceStatus status;
  status.release_dir = ReleaseDirOf(record, look);
  status.log_start = record.log_start;
  status.http = record.spec.http;
  status.tcp = record.spec.tcp;
  status.http_names = record.spec.http_names;
  status.restarts = look.restarts;
  if (!look.gone() && !WaitsForRestart(look)) {
    status.state = State::running;
    status.since = look.began;
    FillProcess(look, status);
    if (look.active_state == "activating") {
      status.coming_up = absl::StrCat(record.spec.unit, " is activating (", look.sub_state, ")");
    }
    return status;
  }
  status.since = look.inactive_since;
  if (record.stopping || NeverStarted(record, look)) return status;
  status.state = State::died;
  if (look.invocation.empty()) {
    FillForgotten(record, status);
  } else {
    status.ended = HowItEnded(look);
  }
  return status;
}

ServiceStatus StatusUnseen(const UnitRecord& record, const absl::Status& why) {
  ServiceStatus status;
  status.release_dir = record.spec.release_dir;
  status.log_start = record.log_start;
  status.http = record.spec.http;
  status.tcp = record.spec.tcp;
  status.http_names = record.spec.http_names;
  if (IsAlive(record.process)) {
    status.state = State::running;
    FillProcess({.main_pid = record.process.pid}, status);
  } else if (!record.stopping) {
    status.state = State::died;
    status.ended = absl::StrCat("cannot be seen: ", why.message());
  }
  return status;
}

}  // namespace slipway::agent
