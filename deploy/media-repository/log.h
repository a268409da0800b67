// The log of the service: one line per event on stdout.
#pragma once

#include "absl/strings/string_view.h"

namespace media {

// Writes `2026-01-31T12:00:00.000Z TEXT` as one line with one write(2), so that lines of several
// threads never mix and nothing is lost in a buffer when the process dies. Thread-safe.
void Log(absl::string_view text);

// Log("FATAL TEXT").
void LogFatal(absl::string_view text);

}  // namespace media
