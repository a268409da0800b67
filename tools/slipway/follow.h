// Follows a rollout to its end: live on a terminal, one line a change otherwise, one JSON document
// a line with -o json. Survives a restart of the controller.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tools/slipway/command.h"

namespace slipway::cli {

class Controller;

struct FollowOptions {
  bool json = false;
  bool quiet = false;
  bool verbose = false;             // details too, a line each
  bool leave_when_waiting = false;  // --no-wait-approval
  absl::Duration timeout = absl::InfiniteDuration();
  absl::Duration unreachable = absl::Minutes(10);  // a controller that stays away this long
  absl::Duration heartbeat = absl::Seconds(30);    // plain mode says that it still waits

  static absl::StatusOr<FollowOptions> From(const Invocation& invocation);
};

// Ctrl-C says how to come back and leaves; the rollout goes on.
ExitCode Follow(const Controller& controller, const std::string& rollout,
                const FollowOptions& options);

}  // namespace slipway::cli
