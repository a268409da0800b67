// Waiting that Ctrl-C ends.
#pragma once

#include "absl/time/time.h"
#include "tools/slipway/exit_code.h"

namespace slipway::cli {

// Takes SIGINT and SIGTERM: the first one is remembered and ends a pause, the second one ends the
// program at once with 130 or 143. Call once, before a long wait.
void WatchForSignals();

// The signal that came, or 0.
int SignalCaught();
ExitCode ExitCodeOfSignal(int signal);

// Readable once a signal came: for poll() beside other things.
int SignalDescriptor();

// False when a signal came.
bool PauseFor(absl::Duration duration);

}  // namespace slipway::cli
