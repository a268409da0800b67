// slipway: the operators' command line.

#include <signal.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "tools/slipway/help.h"
#include "tools/slipway/parse.h"
#include "tools/slipway/preferences.h"
#include "tools/slipway/term/terminal.h"

int main(int argc, char** argv) {
  using namespace slipway::cli;
  signal(SIGPIPE, SIG_IGN);
  Parsed parsed = Parse(argc, argv);
  const absl::Status preferences = AddPreferences(parsed.invocation);
  SetUpTerminal(parsed.invocation);
  if (!parsed.error.empty()) {
    Write(STDERR_FILENO, absl::StrCat("error: ", parsed.error, "\n"));
    return static_cast<int>(ExitCode::usage);
  }
  if (parsed.help) {
    Print(parsed.command == nullptr ? Overview() : HelpOf(*parsed.command));
    return static_cast<int>(ExitCode::done);
  }
  if (!preferences.ok()) {
    Write(STDERR_FILENO, absl::StrCat("error: ", preferences.message(), "\n"));
    return static_cast<int>(ExitCodeOf(preferences));
  }
  return static_cast<int>(parsed.command->run(parsed.invocation));
}
