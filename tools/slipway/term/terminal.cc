#include "tools/slipway/term/terminal.h"

#include <errno.h>
#include <locale.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tools/slipway/term/escape.h"

namespace slipway::cli {
namespace {

Stream out, err;

bool IsSet(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

Stream Look(int fd, const Invocation& invocation) {
  Stream stream;
  stream.terminal = isatty(fd) == 1 || IsSet("SLIPWAY_FORCE_TTY");
  const char* term = std::getenv("TERM");
  const bool dumb = term != nullptr && std::strcmp(term, "dumb") == 0;
  const std::string when = invocation.Value("color", "auto");
  stream.colour = when == "always" || (when == "auto" && !IsSet("NO_COLOR") &&
                                       (IsSet("CLICOLOR_FORCE") || (stream.terminal && !dumb)));
  const char* locale = setlocale(LC_CTYPE, "");
  stream.ascii = invocation.Flag("ascii") ||
                 (locale != nullptr && std::strcmp(locale, "C") == 0 && stream.terminal);
  winsize size{};
  std::size_t columns = 0;
  if (IsSet("COLUMNS") && absl::SimpleAtoi(std::getenv("COLUMNS"), &columns) && columns > 20) {
    stream.columns = columns;
  } else if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 20) {
    stream.columns = size.ws_col;
  } else if (!stream.terminal) {
    stream.columns = 200;
  }
  return stream;
}

}  // namespace

void SetUpTerminal(const Invocation& invocation) {
  if (setlocale(LC_CTYPE, "") == nullptr || std::strcmp(setlocale(LC_CTYPE, nullptr), "C") == 0) {
    setlocale(LC_CTYPE, "C.UTF-8");  // for widths
  }
  out = Look(STDOUT_FILENO, invocation);
  err = Look(STDERR_FILENO, invocation);
}

Stream& StandardOutput() {
  return out;
}
Stream& StandardError() {
  return err;
}

void Write(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) _exit(errno == EPIPE ? 0 : 1);
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

void Print(std::string_view text) {
  Write(STDOUT_FILENO, text);
}

std::string Paint(const Stream& stream, Tone tone, std::string_view text) {
  const char* code = "";
  switch (tone) {
    case Tone::plain:
      return std::string(text);
    case Tone::good:
      code = "32";
      break;
    case Tone::bad:
      code = "31";
      break;
    case Tone::warn:
      code = "33";
      break;
    case Tone::dim:
      code = "2";
      break;
    case Tone::bold:
      code = "1";
      break;
  }
  if (!stream.colour) return std::string(text);
  return absl::StrCat("\x1b[", code, "m", absl::string_view(text.data(), text.size()), "\x1b[0m");
}

std::string Show(const Stream& stream, const Mark& mark) {
  return stream.ascii ? mark.ascii : mark.text;
}

}  // namespace slipway::cli
