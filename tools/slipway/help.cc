#include "tools/slipway/help.h"

#include <unistd.h>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/nearest_name.h"
#include "tools/slipway/term/terminal.h"

namespace slipway::cli {
namespace {

std::string OptionLines(const std::vector<Option>& options) {
  std::string text;
  for (const Option& option : options) {
    std::string left =
        option.letter == '\0' ? "    " : absl::StrCat("-", std::string(1, option.letter), ", ");
    absl::StrAppend(&left, "--", std::string(option.name));
    if (!option.value.empty()) absl::StrAppend(&left, " ", std::string(option.value));
    absl::StrAppendFormat(&text, "  %-26s %s\n", left, std::string(option.help));
  }
  return text;
}

std::string ExitCodes() {
  int rows = 0;
  const ExitCodeRow* table = ExitCodeTable(rows);
  std::string text = "Exit codes\n";
  for (int i = 0; i < rows; ++i) {
    absl::StrAppendFormat(&text, "  %3d  %s\n", static_cast<int>(table[i].code), table[i].meaning);
  }
  return text;
}

constexpr char kEnvironment[] =
    "  SLIPWAY_CONFIG        client configuration file (--config)\n"
    "  SLIPWAY_CONTEXT       name of a context (--context)\n"
    "  SLIPWAY_CONTROLLER    host:port of the controller (--controller)\n"
    "  SLIPWAY_TLS_CA        path of the root certificate\n"
    "  SLIPWAY_TLS_CERT      path of the operator's certificate\n"
    "  SLIPWAY_TLS_KEY       path of its key (mode 0600)\n"
    "  SLIPWAY_OUTPUT        text or json (--output)\n"
    "  SLIPWAY_COLOR         auto, always or never (--color)\n"
    "  XDG_CONFIG_HOME       folder of slipway/config.yaml and slipway/contexts (~/.config)\n"
    "  NO_COLOR, CLICOLOR_FORCE, TERM=dumb, COLUMNS are honoured\n";

constexpr char kOutput[] =
    "Output\n"
    "  -o text  for people: one screen, exceptions first; times are relative\n"
    "  -o json  one protobuf JSON document of the contract's messages and a newline; `watch` and\n"
    "           `deploy` print one document a line; times are UTC\n"
    "  Without a terminal, long waits print one line a change and a heartbeat every 30 s.\n"
    "  Text that comes from hosts is escaped; `logs --raw` writes it as it is, never to a "
    "terminal.\n";

}  // namespace

std::string_view EnvironmentText() {
  return kEnvironment;
}

std::string UsageOf(const Command& command) {
  std::string text = absl::StrCat("slipway ", std::string(command.path));
  for (const Argument& argument : command.arguments) {
    const std::string name =
        absl::StrCat(std::string(argument.name), argument.repeated ? "..." : "");
    absl::StrAppend(&text, " ", argument.required ? name : absl::StrCat("[", name, "]"));
  }
  if (!OptionsOf(command).empty()) absl::StrAppend(&text, " [options]");
  return text;
}

std::string Overview() {
  std::string text =
      "slipway rolls a release out to a fleet, and hauls it back up when it does not float\n";
  std::string group;
  for (const Command& command : CommandTable()) {
    if (command.hidden) continue;
    if (command.group != group) {
      group = std::string(command.group);
      absl::StrAppend(&text, "\n", group.empty() ? "More" : group, "\n");
    }
    absl::StrAppendFormat(&text, "  %-16s %s\n", std::string(command.path),
                          std::string(command.summary));
  }
  absl::StrAppend(&text, "\nEvery command\n", OptionLines(GlobalOptions()),
                  "\n`slipway help COMMAND` tells more; topics: exit-codes, environment, output\n");
  return text;
}

std::string HelpOf(const Command& command) {
  std::string text = absl::StrCat(std::string(command.path), ": ", std::string(command.summary),
                                  "\n\n  ", UsageOf(command), "\n");
  if (!command.detail.empty()) absl::StrAppend(&text, "\n", std::string(command.detail), "\n");
  if (const std::vector<Option> own = OptionsOf(command); !own.empty()) {
    absl::StrAppend(&text, "\nOptions\n", OptionLines(own));
  }
  if (!command.columns.empty()) {
    absl::StrAppend(&text, "\nColumns: ", absl::StrJoin(ColumnNames(command.columns), ", "), "\n");
  }
  absl::StrAppend(&text, "\nEvery command\n", OptionLines(GlobalOptions()));
  return text;
}

ExitCode RunHelp(const Invocation& invocation) {
  const std::string topic = absl::StrJoin(invocation.Values("TOPIC"), " ");
  if (topic.empty()) {
    Print(Overview());
  } else if (topic == "exit-codes") {
    Print(ExitCodes());
  } else if (topic == "environment") {
    Print(absl::StrCat("Environment\n", kEnvironment));
  } else if (topic == "output") {
    Print(kOutput);
  } else {
    std::vector<std::string> names = {"exit-codes", "environment", "output"};
    std::string group;
    for (const Command& command : CommandTable()) {
      if (command.path == topic) {
        Print(HelpOf(command));
        return ExitCode::done;
      }
      if (std::string(command.path).rfind(topic + " ", 0) == 0)
        absl::StrAppend(&group, HelpOf(command), "\n");
      names.emplace_back(command.path);
    }
    if (group.empty()) {
      const std::string near = NearestName(topic, names);
      Write(STDERR_FILENO,
            absl::StrCat("error: no help on `", topic, "`",
                         near.empty() ? "" : absl::StrCat("; did you mean `", near, "`?"), "\n"));
      return ExitCode::usage;
    }
    Print(group);
  }
  return ExitCode::done;
}

}  // namespace slipway::cli
