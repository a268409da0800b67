// What standard output and error are, and what may be written there.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/slipway/command.h"

namespace slipway::cli {

struct Stream {
  bool terminal = false;
  bool colour = false;
  bool ascii = false;  // no characters beyond ASCII
  std::size_t columns = 80;
};

// Decides once, from flags and environment (NO_COLOR, CLICOLOR_FORCE, TERM=dumb, COLUMNS, LANG).
void SetUpTerminal(const Invocation& invocation);
Stream& StandardOutput();
Stream& StandardError();

// Writes all of it; a closed pipe ends the program quietly, as for any filter.
void Write(int fd, std::string_view text);
void Print(std::string_view text);  // to standard output

enum class Tone { plain, good, bad, warn, dim, bold };
std::string Paint(const Stream& stream, Tone tone, std::string_view text);

// Marks with an ASCII form.
struct Mark {
  const char* text;
  const char* ascii;
};
inline constexpr Mark kGood{"✔", "ok"}, kBad{"✖", "x"}, kRunning{"▸", ">"}, kWaiting{"·", "."},
    kOut{"⊘", "-"}, kNote{"!", "!"}, kArrow{"→", "->"}, kBar{"│", "|"};
std::string Show(const Stream& stream, const Mark& mark);

}  // namespace slipway::cli
