#include "common/model/outcome.h"

namespace slipway {

std::string_view ToString(Outcome outcome) {
  switch (outcome) {
    case Outcome::succeeded:
      return "succeeded";
    case Outcome::failed:
      return "failed";
    case Outcome::timed_out:
      return "timed_out";
    case Outcome::unreachable:
      return "unreachable";
    case Outcome::unknown:
      return "unknown";
  }
  return "unknown";
}

std::string_view ToString(Verdict verdict) {
  switch (verdict) {
    case Verdict::succeeded:
      return "succeeded";
    case Verdict::failed:
      return "failed";
    case Verdict::timed_out:
      return "timed_out";
    case Verdict::unknown:
      return "unknown";
    case Verdict::not_applied:
      return "not_applied";
    case Verdict::try_later:
      return "try_later";
  }
  return "unknown";
}

std::optional<Outcome> ParseOutcome(std::string_view text) {
  for (const Outcome o : {Outcome::succeeded, Outcome::failed, Outcome::timed_out,
                          Outcome::unreachable, Outcome::unknown}) {
    if (ToString(o) == text) return o;
  }
  return std::nullopt;
}

std::optional<Verdict> ParseVerdict(std::string_view text) {
  for (const Verdict v : {Verdict::succeeded, Verdict::failed, Verdict::timed_out, Verdict::unknown,
                          Verdict::not_applied, Verdict::try_later}) {
    if (ToString(v) == text) return v;
  }
  return std::nullopt;
}

}  // namespace slipway
