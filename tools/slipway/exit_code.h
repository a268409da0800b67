// What `slipway` tells a script. One table for the whole program; `slipway help exit-codes`.
#pragma once

#include "absl/status/status.h"

namespace slipway::cli {

enum class ExitCode {
  done = 0,  // also "nothing to change"
  unexpected = 1,
  usage = 2,    // unknown command, flag or value
  invalid = 3,  // plan or configuration
  denied = 4,   // not logged in, or not allowed
  not_found = 5,
  not_now = 6,        // lock held, rollout in the wrong state
  unreachable = 7,    // the controller
  gave_up = 8,        // --timeout; the rollout goes on
  needs_person = 10,  // failed; the fleet is mixed or unhealthy
  rolled_back = 11,   // failed; the fleet is healthy on the old version
  aborted = 12,
  waiting = 13,       // for a person, with --no-wait-approval
  differs = 20,       // with --exit-code
  unsound = 30,       // doctor found a failure
  doubtful = 31,      // doctor found a warning, with --strict
  interrupted = 130,  // Ctrl-C; the rollout goes on
  terminated = 143,
};

// For a call that failed.
ExitCode ExitCodeOf(const absl::Status& status);

// The table, as `slipway help exit-codes` prints it.
struct ExitCodeRow {
  ExitCode code;
  const char* meaning;
};
const ExitCodeRow* ExitCodeTable(int& rows);

}  // namespace slipway::cli
