// How a task ended. Both cores, the journal and the wire speak of these.
#pragma once

#include <optional>
#include <string_view>

namespace slipway {

// What the controller records of a task, once, for ever.
enum class Outcome {
  succeeded,
  failed,
  timed_out,    // the host answered that its time was up
  unreachable,  // never issued, or the host fell silent in an action that a probe can decide later
  unknown,      // nobody can tell whether the effect happened: a person decides
};

// What an agent answers about one attempt.
enum class Verdict {
  succeeded,
  failed,
  timed_out,
  unknown,      // the probe after a restart could not decide
  not_applied,  // the probe proved that the attempt had no effect: the next one costs no retry
  try_later,    // a hook's exit 75: the next one costs no retry, within the deadline
};

std::string_view ToString(Outcome outcome);
std::string_view ToString(Verdict verdict);
std::optional<Outcome> ParseOutcome(std::string_view text);
std::optional<Verdict> ParseVerdict(std::string_view text);

}  // namespace slipway
