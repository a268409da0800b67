#include "agent/services/service_manager.h"

#include <signal.h>

#include <string_view>

#include "absl/strings/str_cat.h"

namespace slipway::agent {
namespace {

int SignalOf(std::string_view name) {
  if (name.substr(0, 3) == "SIG") name.remove_prefix(3);
  for (const auto& [known, signal] : {std::pair<std::string_view, int>{"TERM", SIGTERM},
                                      {"KILL", SIGKILL},
                                      {"INT", SIGINT},
                                      {"QUIT", SIGQUIT},
                                      {"HUP", SIGHUP},
                                      {"USR1", SIGUSR1},
                                      {"USR2", SIGUSR2}}) {
    if (name == known) return signal;
  }
  return 0;
}

// '/' and '%' cannot stand in a file name, or have a meaning there.
std::string Escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '/' || c == '%') {
      absl::StrAppend(&out, "%", absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad2));
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

std::string FolderNameOf(const ServiceId& id) {
  return absl::StrCat(Escaped(id.name), "@", Escaped(id.app));
}

absl::StatusOr<std::vector<Rung>> ParseLadder(const std::vector<std::string>& rungs) {
  if (rungs.empty()) return ParseLadder({"TERM", "20s", "KILL"});
  std::vector<Rung> ladder;
  for (const std::string& text : rungs) {
    Rung rung{.signal = SignalOf(text)};
    if (rung.signal == 0 && !absl::ParseDuration(text, &rung.wait)) {
      return absl::InvalidArgumentError(
          absl::StrCat("\"", text,
                       "\" in a stop ladder is neither a signal (TERM, INT, QUIT, HUP, "
                       "USR1, USR2, KILL) nor a duration (20s)"));
    }
    ladder.push_back(rung);
  }
  return ladder;
}

}  // namespace slipway::agent
