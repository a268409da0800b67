// What may stand next on a command line: from the command table, and from the live fleet.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tools/slipway/command.h"

namespace slipway::cli {

struct Candidate {
  std::string word;
  std::string help;  // "" = none
  bool operator==(const Candidate&) const = default;
};

// What the table does not know.
enum class Live { host, rollout, release, version, context };
using AskLive = std::function<std::vector<Candidate>(Live)>;

// `words` stand behind "slipway"; the last one is being typed and may be empty. Only candidates
// that begin with it, in the order of the table. Empty where files are meant: the shell knows them.
// `live` is asked at most once.
std::vector<Candidate> Complete(const std::vector<std::string>& words, const AskLive& live);

}  // namespace slipway::cli
