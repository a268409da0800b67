#include "agent/services/process_service_manager.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "agent/services/port_proof.h"
#include "agent/services/record_file.h"
#include "agent/services/stop_proof.h"
#include "common/status_macros.h"

namespace slipway::agent {
namespace {

constexpr int kRunsKept = 3;

std::string Resolved(const ServiceSpec& spec) {
  return absl::StartsWith(spec.argv[0], "/") ? spec.argv[0] : spec.release_dir + "/" + spec.argv[0];
}

absl::Status WriteService(const std::string& dir, const ServiceSpec& spec,
                          const LogPosition& log_start) {
  RecordWriter out;
  out.Add("app", spec.id.app);
  out.Add("name", spec.id.name);
  out.Add("release_dir", spec.release_dir);
  for (const std::string& arg : spec.argv) out.Add("arg", arg);
  for (const std::uint16_t port : spec.ports) out.Add("port", std::int64_t{port});
  out.Add("log_file", spec.log_file);
  out.Add("http", spec.http);
  out.Add("tcp", spec.tcp);
  if (!spec.http_names.empty()) out.Add("http_names", spec.http_names);
  out.Add("log.inode", static_cast<std::int64_t>(log_start.inode));
  out.Add("log.offset", static_cast<std::int64_t>(log_start.offset));
  return WriteRecord(dir, "service", out.text(), Survives::crash);
}

absl::Status ReadService(const std::string& dir, ServiceSpec& spec, LogPosition& log_start) {
  return ReadRecord(dir + "/service", [&](std::string_view key, const std::string& v) {
    if (key == "app") return SetField(v, spec.id.app);
    if (key == "name") return SetField(v, spec.id.name);
    if (key == "release_dir") return SetField(v, spec.release_dir);
    if (key == "arg") return spec.argv.push_back(v), true;
    if (key == "port") return SetField(v, spec.ports.emplace_back());
    if (key == "log_file") return SetField(v, spec.log_file);
    if (key == "http") return SetField(v, spec.http);
    if (key == "tcp") return SetField(v, spec.tcp);
    if (key == "http_names") return SetField(v, spec.http_names);
    if (key == "log.inode") return SetField(v, log_start.inode);
    if (key == "log.offset") return SetField(v, log_start.offset);
    return false;
  });
}

std::vector<std::string> Entries(const std::string& folder) {
  std::vector<std::string> names;
  DIR* dir = opendir(folder.c_str());
  if (dir == nullptr) return names;
  while (const dirent* entry = readdir(dir)) names.emplace_back(entry->d_name);
  closedir(dir);
  return names;
}

std::vector<std::string> Environment(const ServiceSpec& spec) {
  std::vector<std::string> env = {
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      absl::StrCat("SLIPWAY_APP=", spec.id.app), absl::StrCat("SLIPWAY_SERVICE=", spec.id.name),
      absl::StrCat("SLIPWAY_RELEASE=", spec.release_dir)};
  env.insert(env.end(), spec.env.begin(), spec.env.end());
  return env;
}

bool Lives(const Execution& execution) {
  return execution.State().kind == ExecState::Kind::running;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ProcessServiceManager>> ProcessServiceManager::Open(
    std::string base, const ExecLauncher& launcher, const Clock& clock) {
  SLIPWAY_RETURN_IF_ERROR(MakeFolder(base));
  return std::unique_ptr<ProcessServiceManager>(
      new ProcessServiceManager(std::move(base), launcher, clock));
}

std::string ProcessServiceManager::FolderOf(const ServiceId& id) const {
  return absl::StrCat(base_, "/", FolderNameOf(id));
}

std::string ProcessServiceManager::LogOf(const Run& run) const {
  return run.spec.log_file.empty() ? FolderOf(run.spec.id) + "/log" : run.spec.log_file;
}

std::vector<ProcessServiceManager::Run> ProcessServiceManager::Runs(
    const std::string& folder) const {
  std::vector<Run> runs;
  for (const std::string& name : Entries(folder)) {
    Run run{.execution = Execution(absl::StrCat(folder, "/", name))};
    absl::string_view number = name;
    if (!absl::ConsumePrefix(&number, "run.") || !absl::SimpleAtoi(number, &run.number)) continue;
    // Without this record, which is older than the shim, nothing was started in the folder.
    if (!ReadService(run.execution.dir(), run.spec, run.log_start).ok()) run.spec = {};
    runs.push_back(std::move(run));
  }
  std::sort(runs.begin(), runs.end(),
            [](const Run& a, const Run& b) { return a.number < b.number; });
  return runs;
}

std::optional<ProcessServiceManager::Run> ProcessServiceManager::Latest(const ServiceId& id) const {
  const std::vector<Run> runs = Runs(FolderOf(id));
  std::optional<Run> latest;
  for (const Run& run : runs) {
    if (run.spec.argv.empty()) continue;
    latest = run;
    // A start that lost the race for the lock leaves a newer folder beside the run that lives.
    if (Lives(run.execution)) return run;
  }
  return latest;
}

absl::Status ProcessServiceManager::Start(const ServiceSpec& spec) {
  MutexLock lock(mu_);
  const std::string folder = FolderOf(spec.id);
  SLIPWAY_RETURN_IF_ERROR(MakeFolder(folder));
  const auto latest = Latest(spec.id);
  if (latest && Lives(latest->execution)) {
    if (latest->spec.release_dir == spec.release_dir) return absl::OkStatus();
    return absl::FailedPreconditionError(
        absl::StrCat(spec.id.name, " runs from ", latest->spec.release_dir, "; stop it first"));
  }
  for (const std::uint16_t port : spec.ports) SLIPWAY_RETURN_IF_ERROR(ProvePortFree(port));

  const std::vector<Run> runs = Runs(folder);
  for (std::size_t i = 0; i + kRunsKept < runs.size(); ++i) {
    std::error_code ignored;
    std::filesystem::remove_all(runs[i].execution.dir(), ignored);
  }
  return Launch(spec, folder, runs.empty() ? 1 : runs.back().number + 1);
}

absl::Status ProcessServiceManager::Launch(const ServiceSpec& spec, const std::string& folder,
                                           int number) {
  Run run{.number = number,
          .execution = Execution(absl::StrCat(folder, "/run.", number)),
          .spec = spec,
          .log_start = {}};
  run.log_start = EndOfLog(LogOf(run));
  std::vector<std::string> argv = spec.argv;
  argv[0] = Resolved(spec);
  const ExecSpec exec{.argv = std::move(argv),
                      .env = Environment(spec),
                      .cwd = spec.release_dir,
                      .user = spec.user,
                      .exclusive = folder + "/lock",
                      .log = folder + "/log"};
  SLIPWAY_RETURN_IF_ERROR(MakeFolder(run.execution.dir()));
  SLIPWAY_RETURN_IF_ERROR(WriteService(run.execution.dir(), spec, run.log_start));
  SLIPWAY_ASSIGN_OR_RETURN(const Execution started, launcher_.Start(run.execution.dir(), exec));
  const ExecState state = started.State();
  if (state.kind == ExecState::Kind::not_started) {
    return absl::InternalError(absl::StrCat(
        spec.id.name, " could not be started: its shim did not come up; see ", started.dir()));
  }
  if (state.kind != ExecState::Kind::exited || state.exit.refused.empty()) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat(spec.id.name, " could not be started: ", state.exit.refused));
}

absl::StatusOr<StopReport> ProcessServiceManager::Stop(const ServiceId& id,
                                                       const StopOrder& order) {
  StopReport report;
  const absl::Duration began = clock_.Monotonic();
  std::optional<Run> run;
  {
    MutexLock lock(mu_);
    run = Latest(id);
  }
  if (run && Lives(run->execution)) {
    report.was_running = true;
    SLIPWAY_RETURN_IF_ERROR(WriteRecord(run->execution.dir(), "stopping", "", Survives::crash));
    SLIPWAY_RETURN_IF_ERROR(End(*run, order, report));
  }
  SLIPWAY_RETURN_IF_ERROR(ProveGone(id, run, order));
  report.took = clock_.Monotonic() - began;
  return report;
}

absl::Status ProcessServiceManager::End(const Run& run, const StopOrder& order,
                                        StopReport& report) {
  Drain(clock_, run.spec.ports, order, report);
  SLIPWAY_RETURN_IF_ERROR(Climb(run, order, report));
  const absl::Duration limit = std::min(
      kKillTakesAtMost, std::max(order.deadline - clock_.Monotonic(), absl::ZeroDuration()));
  if (run.execution.WaitFor(limit)) return absl::OkStatus();
  const pid_t pid = run.execution.State().running.child.pid;
  return absl::DeadlineExceededError(
      absl::StrCat(run.spec.id.name, " (pid ", pid, ") is still running after ",
                   report.signal == 0 ? "the drain" : SignalName(report.signal)));
}

absl::Status ProcessServiceManager::Climb(const Run& run, const StopOrder& order,
                                          StopReport& report) {
  for (const Rung& rung : order.ladder) {
    const absl::Duration left = order.deadline - clock_.Monotonic();
    if (left <= absl::ZeroDuration()) {
      return absl::DeadlineExceededError(
          absl::StrCat(run.spec.id.name, " is still running at the deadline of the stop"));
    }
    if (rung.signal == 0) {
      if (run.execution.WaitFor(std::min(rung.wait, left))) return absl::OkStatus();
      continue;
    }
    report.signal = rung.signal;
    if (rung.signal == SIGKILL) {
      run.execution.KillAll();
    } else {
      run.execution.Signal(rung.signal);
    }
  }
  return absl::OkStatus();
}

absl::Status ProcessServiceManager::ProveGone(const ServiceId& id, const std::optional<Run>& run,
                                              const StopOrder& order) const {
  const std::string marks = FolderOf(id) + "/";
  for (const ProcessStat& process : AllProcesses()) {
    const bool ours = absl::StartsWith(EnvironmentOf(process.pid, kExecMark).value_or(""), marks);
    if (process.state != 'Z' && ours) {
      return absl::DeadlineExceededError(absl::StrCat("pid ", process.pid, " (",
                                                      CommandLineOf(process.pid), ") of ", id.name,
                                                      " is still running"));
    }
  }
  if (run) SLIPWAY_RETURN_IF_ERROR(ProveNobodyRuns(Resolved(run->spec), base_ + "/"));
  std::vector<std::uint16_t> ports = order.ports;
  if (run) ports.insert(ports.end(), run->spec.ports.begin(), run->spec.ports.end());
  return ProvePortsFree(clock_, ports);
}

ServiceStatus ProcessServiceManager::Inspect(const ServiceId& id) const {
  MutexLock lock(mu_);
  ServiceStatus status;
  const auto run = Latest(id);
  if (!run) return status;
  const ExecState state = run->execution.State();
  status.release_dir = run->spec.release_dir;
  status.log_start = run->log_start;
  status.http = run->spec.http;
  status.tcp = run->spec.tcp;
  status.http_names = run->spec.http_names;
  status.since = state.running.since;
  if (state.kind == ExecState::Kind::running) {
    status.state = ServiceStatus::State::running;
    status.pid = state.running.child.pid;
    if (const auto stat = ReadProcessStat(status.pid)) status.rss_bytes = stat->rss_bytes;
    status.executable = ExecutableOf(status.pid);
    status.working_dir = WorkingDirectoryOf(status.pid);
    status.release_env = EnvironmentOf(status.pid, "SLIPWAY_RELEASE").value_or("");
    return status;
  }
  if (state.kind == ExecState::Kind::exited) status.since = state.exit.at;
  const bool told = access((run->execution.dir() + "/stopping").c_str(), F_OK) == 0;
  if (told || state.kind == ExecState::Kind::not_started) return status;
  status.state = ServiceStatus::State::died;
  const std::string& boot = state.running.shim.boot_id;
  status.with_machine = !boot.empty() && boot != BootId();
  status.ended = state.kind == ExecState::Kind::lost
                     ? "ended unobserved (the machine or its shim went down)"
                     : Describe(state.exit);
  return status;
}

std::vector<ServiceId> ProcessServiceManager::Services() const {
  std::vector<ServiceId> services;
  for (const std::string& name : Entries(base_)) {
    const std::vector<Run> runs = Runs(base_ + "/" + name);
    for (const Run& run : runs) {
      if (run.spec.argv.empty()) continue;
      services.push_back(run.spec.id);
      break;
    }
  }
  std::sort(services.begin(), services.end());
  return services;
}

LogPiece ProcessServiceManager::ReadLog(const ServiceId& id, const LogPosition& from,
                                        std::uint64_t bytes_max) const {
  MutexLock lock(mu_);
  const auto run = Latest(id);
  if (!run) return {.bytes = "", .next = from};
  return agent::ReadLog(LogOf(*run), from, bytes_max);
}

std::string ProcessServiceManager::LastLines(const ServiceId& id, const LogPosition& from,
                                             int lines) const {
  MutexLock lock(mu_);
  const auto run = Latest(id);
  return run ? agent::LastLines(LogOf(*run), from, lines) : "";
}

}  // namespace slipway::agent
