#include "tools/slipway/term/confirm.h"

#include <unistd.h>

#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "tools/slipway/term/escape.h"
#include "tools/slipway/term/terminal.h"

namespace slipway::cli {
namespace {

constexpr std::size_t kAnswerMax = 4096;

// One line of standard input, without its end.
std::string ReadLine() {
  std::string line;
  char c = 0;
  while (line.size() < kAnswerMax && read(STDIN_FILENO, &c, 1) == 1 && c != '\n') line += c;
  return line;
}

}  // namespace

ExitCode Confirm(const Invocation& invocation, std::string_view what, std::string_view name) {
  if (invocation.Flag("yes")) return ExitCode::done;
  const std::string shown = Escape(name, true);
  const std::string sentence = Escape(what, true);
  if (invocation.Flag("no-input") || isatty(STDIN_FILENO) == 0) {
    Write(STDERR_FILENO,
          absl::StrCat("error: ", sentence, ", and nobody can be asked; --yes means it\n"));
    return ExitCode::usage;
  }
  Write(STDERR_FILENO, absl::StrCat(sentence, "\nType ", shown, " to go on: "));
  if (absl::StripAsciiWhitespace(ReadLine()) == absl::string_view(name.data(), name.size())) {
    return ExitCode::done;
  }
  Write(STDERR_FILENO, absl::StrCat("that is not ", shown, ": nothing was changed\n"));
  return ExitCode::aborted;
}

}  // namespace slipway::cli
