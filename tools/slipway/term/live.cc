#include "tools/slipway/term/live.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tools/slipway/term/terminal.h"

namespace slipway::cli {
namespace {

winsize Size() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0) size = {24, 80, 0, 0};
  return size;
}

}  // namespace

// The cursor is hidden while lines move under it, and lines do not wrap.
LiveRegion::LiveRegion() {
  Print("\x1b[?25l\x1b[?7l");
}

LiveRegion::~LiveRegion() {
  Print("\x1b[?7h\x1b[?25h");
}

std::size_t LiveRegion::rows() const {
  return std::max<std::size_t>(Size().ws_row, 4) - 1;
}

std::string LiveRegion::Erase() const {
  // Up to the first line of the region, then clear to the end of the screen.
  return lines_ == 0 ? "\r\x1b[J" : absl::StrCat("\r\x1b[", lines_, "A\x1b[J");
}

void LiveRegion::Draw(std::string_view text) {
  if (text == drawn_) return;
  const std::string erase = Erase();
  drawn_ = std::string(text);
  lines_ = static_cast<std::size_t>(std::count(drawn_.begin(), drawn_.end(), '\n'));
  Print(absl::StrCat(erase, drawn_));
}

void LiveRegion::Above(std::string_view text) {
  const std::string keep = drawn_;
  Clear();
  Print(text);
  Draw(keep);
}

void LiveRegion::Clear() {
  Print(Erase());
  drawn_.clear();
  lines_ = 0;
}

}  // namespace slipway::cli
