// A rollout in words: the same for status, watch, deploy and the end of a failure.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "tools/slipway/exit_code.h"
#include "tools/slipway/term/terminal.h"

namespace slipway::v1 {
class Change;
class Rollout;
class RolloutPreview;
}  // namespace slipway::v1

namespace slipway::cli {

// The rollout is over and nothing will change by itself.
bool IsOver(const v1::Rollout& rollout);
// Held until a person says something.
bool NeedsPerson(const v1::Rollout& rollout);
ExitCode ExitCodeOf(const v1::Rollout& rollout);

// "unified-media 1.0.0 → 2.0.0"
std::string Headline(const Stream& stream, const v1::Rollout& rollout);
// One screen: headline, phases, hosts that are not as they should be, what to do next.
std::string StatusText(const Stream& stream, const v1::Rollout& rollout);
// The end: verdict, failing steps with their own last lines, fleet by version, next commands.
std::string EndText(const Stream& stream, const v1::Rollout& rollout);
// One line of the plain mode: "12:04:31Z ro-M4TZ web-05 start succeeded".
std::string ChangeLine(const v1::Rollout& rollout, const v1::Change& change);
// The frame of the live view, at most `rows` lines.
std::string LiveText(const Stream& stream, const v1::Rollout& rollout, absl::Time now,
                     std::size_t rows);

std::string PreviewText(const Stream& stream, const v1::RolloutPreview& preview);

}  // namespace slipway::cli
