#include "agent/services/exec_spec.h"

#include <string.h>

#include <string_view>

#include "absl/strings/str_cat.h"
#include "agent/services/record_file.h"
#include "common/status_macros.h"

namespace slipway::agent {

std::string SignalName(int signal) {
  const char* name = sigabbrev_np(signal);
  return name == nullptr ? absl::StrCat("signal ", signal) : absl::StrCat("SIG", name);
}

std::string Describe(const ExecExit& exit) {
  if (!exit.refused.empty()) return absl::StrCat("could not be started: ", exit.refused);
  std::string text = exit.signal == 0 ? absl::StrCat("exited with status ", exit.code)
                                      : absl::StrCat("was ended by ", SignalName(exit.signal));
  if (exit.timed_out) text += " after its time was up";
  if (exit.leftovers > 0) absl::StrAppend(&text, " and left ", exit.leftovers, " processes behind");
  return text;
}

absl::Status WriteSpec(const std::string& dir, const ExecSpec& spec) {
  RecordWriter out;
  for (const std::string& arg : spec.argv) out.Add("arg", arg);
  for (const std::string& variable : spec.env) out.Add("env", variable);
  out.Add("cwd", spec.cwd);
  out.Add("user", spec.user);
  out.Add("exclusive", spec.exclusive);
  out.Add("log", spec.log);
  out.Add("log_bytes_max", static_cast<std::int64_t>(spec.log_bytes_max));
  out.Add("log_keep", spec.log_keep);
  out.Add("deadline", spec.deadline);
  out.Add("grace", spec.grace);
  out.Add("processes_max", spec.processes_max);
  return WriteRecord(dir, "spec", out.text(), Survives::crash);
}

absl::StatusOr<ExecSpec> ReadSpec(const std::string& dir) {
  ExecSpec spec;
  SLIPWAY_RETURN_IF_ERROR(
      ReadRecord(dir + "/spec", [&](std::string_view key, const std::string& v) {
        if (key == "arg") return spec.argv.push_back(v), true;
        if (key == "env") return spec.env.push_back(v), true;
        if (key == "cwd") return SetField(v, spec.cwd);
        if (key == "user") return SetField(v, spec.user);
        if (key == "exclusive") return SetField(v, spec.exclusive);
        if (key == "log") return SetField(v, spec.log);
        if (key == "log_bytes_max") return SetField(v, spec.log_bytes_max);
        if (key == "log_keep") return SetField(v, spec.log_keep);
        if (key == "deadline") return SetField(v, spec.deadline);
        if (key == "grace") return SetField(v, spec.grace);
        if (key == "processes_max") return SetField(v, spec.processes_max);
        return false;
      }));
  if (spec.argv.empty()) return absl::DataLossError(absl::StrCat(dir, "/spec names no program"));
  return spec;
}

absl::Status WriteRunning(const std::string& dir, const ExecRunning& running) {
  RecordWriter out;
  out.Add("shim", running.shim);
  out.Add("child", running.child);
  out.Add("since", running.since);
  return WriteRecord(dir, "running", out.text(), Survives::power_cut);
}

absl::StatusOr<ExecRunning> ReadRunning(const std::string& dir) {
  ExecRunning running;
  SLIPWAY_RETURN_IF_ERROR(
      ReadRecord(dir + "/running", [&](std::string_view key, const std::string& v) {
        if (key == "since") return SetField(v, running.since);
        if (key.substr(0, 5) == "shim.") return SetField(key.substr(5), v, running.shim);
        if (key.substr(0, 6) == "child.") return SetField(key.substr(6), v, running.child);
        return false;
      }));
  return running;
}

absl::Status ReserveExit(const std::string& dir) {
  return ReserveRecord(dir, "exit");
}

absl::Status WriteExit(const std::string& dir, const ExecExit& exit) {
  RecordWriter out;
  out.Add("refused", exit.refused);
  out.Add("code", exit.code);
  out.Add("signal", exit.signal);
  out.Add("timed_out", exit.timed_out ? 1 : 0);
  out.Add("leftovers", exit.leftovers);
  out.Add("at", exit.at);
  return WriteRecord(dir, "exit", out.text(), Survives::power_cut);
}

absl::StatusOr<ExecExit> ReadExit(const std::string& dir) {
  ExecExit exit;
  SLIPWAY_RETURN_IF_ERROR(
      ReadRecord(dir + "/exit", [&](std::string_view key, const std::string& v) {
        if (key == "refused") return SetField(v, exit.refused);
        if (key == "code") return SetField(v, exit.code);
        if (key == "signal") return SetField(v, exit.signal);
        if (key == "timed_out") return SetField(v, exit.timed_out);
        if (key == "leftovers") return SetField(v, exit.leftovers);
        if (key == "at") return SetField(v, exit.at);
        return false;
      }));
  return exit;
}

}  // namespace slipway::agent
