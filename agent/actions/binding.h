// From a task to what it means on this host: which release, which service, which values.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/actions/action.h"
#include "agent/actions/release_step.h"
#include "agent/services/service_manager.h"

namespace slipway::v1 {
class Release;
class Service;
}  // namespace slipway::v1

namespace slipway::agent {

// A release as seen by one attempt.
struct BoundRelease {
  std::string app;  // rendered; "" where the step names none
  std::string digest;
  std::shared_ptr<const v1::Release> release;
  std::map<std::string, std::string> vars;  // for Render(): {{release.version}} is this one's
};

// The release of the task, or for Direction::previous the one that was here before the rollout.
// nullopt: there was none.
absl::StatusOr<std::optional<BoundRelease>> Bind(const ActionContext& ctx, const std::string& app);

// A certain release that is staged here. NOT_FOUND when it is not.
absl::StatusOr<BoundRelease> BindDigest(const ActionContext& ctx, const std::string& app,
                                        const std::string& digest);

// A service, ready to be started, watched and stopped.
struct BoundService {
  ServiceSpec spec = {};
  std::string digest = {};
  std::string version = {};
  std::string must_match = {};
  std::vector<std::string> must_not_match = {};
  absl::Duration deadline = absl::ZeroDuration();  // to be ready by; never zero
  std::string ready_file = {};                     // in traffic while it is there; "" = none
  absl::Duration notice = absl::ZeroDuration();    // for who looks at it, before the drain
  absl::Duration drain = absl::ZeroDuration();
  std::vector<Rung> ladder = {};
};

// NOT_FOUND: the release has no such service or is not staged here; INVALID_ARGUMENT: a text of
// the definition cannot be rendered, or its ladder has no meaning.
absl::StatusOr<BoundService> BindService(const ActionContext& ctx, const BoundRelease& release,
                                         const std::string& name);

// "media 2.0.0": for messages.
std::string NameOf(const BoundService& service);

// Runs until the deadline or until it is to end early.
bool TimeLeft(const ActionContext& ctx);
// Waits for `by` at most, never past the attempt's deadline. False: no time is left.
bool Pause(const ActionContext& ctx, absl::Duration by);

}  // namespace slipway::agent
