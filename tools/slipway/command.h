// The command table: help, parsing and (later) completion come from it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tools/slipway/exit_code.h"

namespace slipway::cli {

// A flag or an option with a value. `value` empty: a flag.
struct Option {
  std::string_view name;   // "dry-run"
  std::string_view value;  // "N", "EXPR"; shown in help
  std::string_view help;
  bool repeated = false;
  char letter = '\0';  // "-f"
};

struct Argument {
  std::string_view name;  // "PLAN"
  bool required = true;
  bool repeated = false;
};

// What was typed, checked against the table.
class Invocation {
 public:
  bool Flag(std::string_view name) const { return values_.contains(std::string(name)); }
  // Last value given, or `fallback`.
  std::string Value(std::string_view name, std::string_view fallback = "") const;
  std::vector<std::string> Values(std::string_view name) const;
  void Add(std::string_view name, std::string value) {
    values_[std::string(name)].push_back(std::move(value));
  }

 private:
  std::map<std::string, std::vector<std::string>> values_;
};

struct Command {
  std::string_view path;     // "fleet status"
  std::string_view group;    // heading in the overview: "Deploy", "Look", …
  std::string_view summary;  // one line
  std::vector<Argument> arguments;
  std::vector<Option> options;
  ExitCode (*run)(const Invocation&);
  std::string_view detail = "";  // paragraphs below the usage line
};

// Every command, listed by hand, in the order of the overview.
const std::vector<Command>& CommandTable();
// Options that every command takes.
const std::vector<Option>& GlobalOptions();

// commands/*.cc
ExitCode RunDeploy(const Invocation&);
ExitCode RunWatch(const Invocation&);
ExitCode RunStatus(const Invocation&);
ExitCode RunPause(const Invocation&);
ExitCode RunResume(const Invocation&);
ExitCode RunAbort(const Invocation&);
ExitCode RunRetry(const Invocation&);
ExitCode RunSkip(const Invocation&);
ExitCode RunRollback(const Invocation&);
ExitCode RunLogs(const Invocation&);
ExitCode RunHistory(const Invocation&);
ExitCode RunFleetStatus(const Invocation&);
ExitCode RunHostShow(const Invocation&);
ExitCode RunHostCordon(const Invocation&);
ExitCode RunHostUncordon(const Invocation&);
ExitCode RunHostRetire(const Invocation&);
ExitCode RunReleaseBuild(const Invocation&);
ExitCode RunReleasePush(const Invocation&);
ExitCode RunReleaseList(const Invocation&);
ExitCode RunReleaseShow(const Invocation&);
ExitCode RunPlanValidate(const Invocation&);
ExitCode RunPlanShow(const Invocation&);
ExitCode RunAgentEnroll(const Invocation&);
ExitCode RunAgentList(const Invocation&);
ExitCode RunVersion(const Invocation&);
ExitCode RunHelp(const Invocation&);

}  // namespace slipway::cli
