// What an action is, and all that it may touch.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "common/model/command.h"
#include "common/model/outcome.h"

namespace slipway {
class ContentSource;  // common/artifact/content_source.h
}
namespace slipway::v1 {
class Task;
}

namespace slipway::agent {

class ServiceManager;  // agent/services/service_manager.h
class HostReleases;    // agent/releases/host_releases.h
class HookRunner;      // agent/services/hook_runner.h

class OutputSpool;  // agent/state/output_spool.h

// How an attempt ended.
struct AttemptEnd {
  Verdict verdict = Verdict::succeeded;
  std::string message;  // one line: what, on which object, why
};

inline AttemptEnd Succeeded(std::string message = "") {
  return {Verdict::succeeded, std::move(message)};
}
inline AttemptEnd Failed(std::string message) {
  return {Verdict::failed, std::move(message)};
}
// OK, DEADLINE_EXCEEDED -> timed_out, everything else -> failed.
AttemptEnd FromStatus(const absl::Status& status);

// Where steps that are about databases find and leave their files. Absolute paths.
struct DatabasePlaces {
  std::string folder;   // sequences, which go with their rollout, and backups, which stay
  std::string secrets;  // "secret:NAME" is the file NAME here
  std::string memory;   // on tmpfs: what holds a password
};

// The world of one attempt. What is not in here cannot be reached by an action, so that a context
// of fakes is a complete host.
struct ActionContext {
  const Clock& clock;
  ServiceManager& services;
  HostReleases& releases;
  HookRunner& hooks;
  ContentSource& content;
  OutputSpool& output;  // the step's own output, kept and streamed
  std::function<void(std::string_view text, std::uint64_t done, std::uint64_t total)> progress;
  std::function<bool()> stopping;  // the agent shuts down: return soon, undecided

  const CommandId& id;
  const v1::Task& task;
  const std::map<std::string, std::string>& vars;  // Task.vars and HostVars, merged; for Render()
  const Direction direction;
  const std::string previous;     // digest found here before the rollout; "" = nothing
  const absl::Duration deadline;  // on clock.Monotonic(): the attempt's time is up
  // The way back waits for this attempt: an action that only waits or looks fails soon, one that
  // acts goes on until the host is whole.
  std::function<bool()> cancelled = [] { return false; };
  // The host's clock minus the controller's; nullopt: not known yet.
  std::function<std::optional<absl::Duration>()> clock_offset = [] { return std::nullopt; };
  DatabasePlaces databases = {};
};

// One kind of action. Stateless; one object serves all tasks. Thread-safe.
//
// Apply and Undo look first and act only where something is missing, so that a second run after a
// lost answer changes nothing. Probe is asked after a restart about an attempt without outcome: it
// looks and never acts, and answers succeeded, failed, not_applied (proven: the next attempt is
// free) or unknown. It may wait, until the deadline, for a child that outlived the agent.
class Action {
 public:
  virtual ~Action() = default;
  virtual std::string_view Name() const = 0;
  virtual AttemptEnd Apply(ActionContext& ctx) const = 0;
  virtual AttemptEnd Undo(ActionContext& ctx) const = 0;
  virtual AttemptEnd Probe(ActionContext& ctx) const = 0;
};

}  // namespace slipway::agent
