// gen man: the manual page of a command, from the same table as its help.

#include <unistd.h>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "common/version.h"
#include "tools/slipway/help.h"
#include "tools/slipway/output.h"
#include "tools/slipway/term/escape.h"
#include "tools/slipway/term/terminal.h"

namespace slipway::cli {
namespace {

// Text of a page: nothing in it is a request or an escape of roff.
std::string Roff(absl::string_view text) {
  std::string safe = absl::StrReplaceAll(text, {{"\\", "\\e"}, {"-", "\\-"}});
  safe = absl::StrReplaceAll(safe, {{"\n.", "\n\\&."}, {"\n'", "\n\\&'"}});
  if (!safe.empty() && (safe[0] == '.' || safe[0] == '\'')) safe.insert(0, "\\&");
  return safe;
}
std::string Roff(std::string_view text) {
  return Roff(absl::string_view(text.data(), text.size()));
}

std::string OptionItems(const std::vector<Option>& options) {
  std::string text;
  for (const Option& option : options) {
    absl::StrAppend(&text, ".TP\n");
    if (option.letter != '\0') {
      absl::StrAppend(&text, "\\fB\\-", std::string(1, option.letter), "\\fR, ");
    }
    absl::StrAppend(&text, "\\fB\\-\\-", Roff(option.name), "\\fR");
    if (!option.value.empty()) absl::StrAppend(&text, " \\fI", Roff(option.value), "\\fR");
    absl::StrAppend(&text, "\n", Roff(option.help), "\n");
  }
  return text;
}

std::string Head(const std::string& name, const std::string& summary) {
  return absl::StrCat(".TH ", absl::AsciiStrToUpper(name), " 1 \"\" \"slipway ",
                      std::string(Version()), "\" \"slipway\"\n.SH NAME\n",
                      Roff(absl::string_view(name)), " \\- ", Roff(absl::string_view(summary)),
                      "\n");
}

std::string ExitStatus() {
  int rows = 0;
  const ExitCodeRow* table = ExitCodeTable(rows);
  std::string text = ".SH EXIT STATUS\n";
  for (int i = 0; i < rows; ++i) {
    absl::StrAppend(&text, ".TP\n.B ", static_cast<int>(table[i].code), "\n",
                    Roff(absl::string_view(table[i].meaning)), "\n");
  }
  return text;
}

// Lines that stay as they are.
std::string Verbatim(std::string_view text) {
  return absl::StrCat(".nf\n", Roff(text), ".fi\n");
}

std::string DetailOf(const Command& command) {
  std::string text;
  if (!command.detail.empty()) {
    absl::StrAppend(&text, ".PP\n", Verbatim(absl::StrCat(std::string(command.detail), "\n")));
  }
  if (!command.columns.empty()) {
    absl::StrAppend(&text, ".PP\nColumns: ",
                    Roff(absl::string_view(absl::StrJoin(ColumnNames(command.columns), ", "))),
                    "\n");
  }
  return text;
}

std::string PageOf(const Command& command) {
  const std::string name =
      absl::StrCat("slipway-", absl::StrReplaceAll(std::string(command.path), {{" ", "-"}}));
  std::string text = Head(name, std::string(command.summary));
  absl::StrAppend(&text, ".SH SYNOPSIS\n.B ", Roff(absl::string_view(UsageOf(command))), "\n");
  if (const std::string detail = DetailOf(command); !detail.empty()) {
    absl::StrAppend(&text, ".SH DESCRIPTION\n", absl::StripPrefix(detail, ".PP\n"));
  }
  if (const std::vector<Option> own = OptionsOf(command); !own.empty()) {
    absl::StrAppend(&text, ".SH OPTIONS\n", OptionItems(own));
  }
  absl::StrAppend(&text, ".SH OPTIONS OF EVERY COMMAND\n", OptionItems(GlobalOptions()),
                  ExitStatus(), ".SH SEE ALSO\n.BR slipway (1)\n");
  return text;
}

std::string PageOfAll() {
  std::string text = Head("slipway", "roll releases out to a fleet of servers, and back");
  absl::StrAppend(
      &text, ".SH SYNOPSIS\n.B slipway\n.I COMMAND\n.RI [ ARGUMENT \" ...]\"\n.SH DESCRIPTION\n",
      Roff(absl::string_view("The operators' program. It asks a controller, "
                             "slipway-controller(8), to carry plans out on the hosts that run "
                             "slipway-agent(8), and shows how they get on.\n")),
      ".SH OPTIONS OF EVERY COMMAND\n", OptionItems(GlobalOptions()), ".SH COMMANDS\n");
  for (const Command& command : CommandTable()) {
    if (command.hidden) continue;
    absl::StrAppend(&text, ".SS ", Roff(absl::string_view(UsageOf(command))), "\n",
                    Roff(command.summary), "\n", DetailOf(command),
                    OptionItems(OptionsOf(command)));
  }
  absl::StrAppend(&text, ".SH ENVIRONMENT\n", Verbatim(EnvironmentText()), ExitStatus(),
                  ".SH FILES\n.TP\n.I /etc/slipway/client.conf\nHow the controller is reached, "
                  "where nothing else says it.\n.TP\n.I /usr/share/doc/slipway\nThe plan file, "
                  "the release file, and how to operate all this.\n.SH SEE ALSO\n"
                  ".BR slipway\\-controller (8),\n.BR slipway\\-agent (8)\n");
  return text;
}

}  // namespace

ExitCode RunGenMan(const Invocation& invocation) {
  const std::vector<std::string> words = invocation.Values("COMMAND");
  std::string path;
  for (const std::string& word : words) absl::StrAppend(&path, path.empty() ? "" : " ", word);
  if (path.empty()) {
    Print(PageOfAll());
    return ExitCode::done;
  }
  for (const Command& command : CommandTable()) {
    if (command.path != path) continue;
    Print(PageOf(command));
    return ExitCode::done;
  }
  return Usage(absl::StrCat("no command `", Escape(path, true), "`; `slipway help` lists them"));
}

}  // namespace slipway::cli
