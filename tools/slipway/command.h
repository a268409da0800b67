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

struct Command;

// A value that was not typed, and where it comes from: a variable, or the path of a file.
struct Setting {
  std::string value, origin;
};

// What was typed, checked against the table.
class Invocation {
 public:
  // Whether the flag, or the option with any value, was typed.
  bool Flag(std::string_view name) const { return values_.contains(std::string(name)); }
  // Last value typed, else the default, else `fallback`.
  std::string Value(std::string_view name, std::string_view fallback = "") const;
  std::vector<std::string> Values(std::string_view name) const;
  void Add(std::string_view name, std::string value) {
    values_[std::string(name)].push_back(std::move(value));
  }
  // Of preferences (preferences.h); also kept when it was typed, with its flag as origin.
  void SetDefault(const std::string& name, Setting setting) {
    defaults_[name] = std::move(setting);
  }
  const Setting* Default(const std::string& name) const;
  const Command& command() const { return *command_; }
  void set_command(const Command& command) { command_ = &command; }

 private:
  const Command* command_ = nullptr;
  std::map<std::string, Setting> defaults_;
  std::map<std::string, std::vector<std::string>> values_;
};

struct Command {
  std::string_view path;     // "fleet status"
  std::string_view group;    // heading in the overview: "Deploy", "Look", …
  std::string_view summary;  // one line
  std::vector<Argument> arguments;
  std::vector<Option> options;
  ExitCode (*run)(const Invocation&);
  std::string_view detail = "";   // paragraphs below the usage line
  std::string_view columns = "";  // of the table that it prints: "HOST,ON DISK"
  bool hidden = false;            // for programs: in no help, completion or manual page
};

// Every command, listed by hand, in the order of the overview.
const std::vector<Command>& CommandTable();
// Those of its own, and for a table what is shown of it.
std::vector<Option> OptionsOf(const Command& command);
// "host,on-disk" and "HOST,ON DISK" are {"HOST", "ON DISK"}.
std::vector<std::string> ColumnNames(std::string_view text);
// Options that every command takes.
const std::vector<Option>& GlobalOptions();
// The command with the longest name that `words` begin with, or null; `used` counts its words.
const Command* FindCommand(const std::vector<std::string>& words, std::size_t& used);

// commands/*.cc
ExitCode RunDeploy(const Invocation&);
ExitCode RunWatch(const Invocation&);
ExitCode RunStatus(const Invocation&);
ExitCode RunPause(const Invocation&);
ExitCode RunResume(const Invocation&);
ExitCode RunAbort(const Invocation&);
ExitCode RunRetry(const Invocation&);
ExitCode RunSkip(const Invocation&);
ExitCode RunApprove(const Invocation&);
ExitCode RunReject(const Invocation&);
ExitCode RunNote(const Invocation&);
ExitCode RunRollback(const Invocation&);
ExitCode RunLogs(const Invocation&);
ExitCode RunHistory(const Invocation&);
ExitCode RunFleetStatus(const Invocation&);
ExitCode RunFleetDrift(const Invocation&);
ExitCode RunDoctor(const Invocation&);
ExitCode RunHostShow(const Invocation&);
ExitCode RunHostFacts(const Invocation&);
ExitCode RunHostCordon(const Invocation&);
ExitCode RunHostUncordon(const Invocation&);
ExitCode RunHostLabel(const Invocation&);
ExitCode RunHostRetire(const Invocation&);
ExitCode RunReleaseBuild(const Invocation&);
ExitCode RunReleasePush(const Invocation&);
ExitCode RunReleaseList(const Invocation&);
ExitCode RunReleaseGc(const Invocation&);
ExitCode RunReleaseVerify(const Invocation&);
ExitCode RunReleaseShow(const Invocation&);
ExitCode RunPlanValidate(const Invocation&);
ExitCode RunPlanShow(const Invocation&);
ExitCode RunPlanFmt(const Invocation&);
ExitCode RunPlanNew(const Invocation&);
ExitCode RunPlanDiff(const Invocation&);
ExitCode RunPlanSchema(const Invocation&);
ExitCode RunPlanGraph(const Invocation&);
ExitCode RunExplain(const Invocation&);
ExitCode RunAgentEnroll(const Invocation&);
ExitCode RunAgentList(const Invocation&);
ExitCode RunComplete(const Invocation&);
ExitCode RunCompletion(const Invocation&);
ExitCode RunConfigView(const Invocation&);
ExitCode RunConfigSet(const Invocation&);
ExitCode RunConfigPath(const Invocation&);
ExitCode RunContextList(const Invocation&);
ExitCode RunContextUse(const Invocation&);
ExitCode RunContextAdd(const Invocation&);
ExitCode RunContextRemove(const Invocation&);
ExitCode RunGenMan(const Invocation&);
ExitCode RunVersion(const Invocation&);
ExitCode RunHelp(const Invocation&);

}  // namespace slipway::cli
