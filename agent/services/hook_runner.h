// Runs hooks of a release: under the child shim, once for each command, never twice.
//
//   BASE/ro-M4TZ7K/f2.3_web-1_1/    the run (exec_spec.h), with
//     outputs     where the hook may leave "key=value" lines
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/services/execution.h"
#include "agent/state/output_spool.h"
#include "common/clock.h"
#include "common/model/ids.h"

namespace slipway::agent {

struct HookOrder {
  CommandId id = {};
  std::string part = {};  // where a command has several runs: which one; "" = the only one
  std::vector<std::string> argv = {};  // argv[0] is absolute
  std::vector<std::string> env =
      {};  // "NAME=value"; PATH, LANG and SLIPWAY_OUTPUTS come by themselves
  std::string cwd = "/";
  std::string user = {};
  absl::Duration deadline = absl::InfiniteDuration();  // on the clock's Monotonic()
  absl::Duration grace = absl::Seconds(10);            // between TERM and KILL
};

// What whoever waits for a hook has to say meanwhile.
struct HookWatch {
  std::function<bool()> stopping = [] { return false; };   // the agent ends; the hook goes on
  std::function<bool()> cancelled = [] { return false; };  // end the hook
};

struct HookEnd {
  ExecExit exit;
  std::map<std::string, std::string> outputs;  // at most 64 KiB of them
};

// Thread-safe for different commands.
class HookRunner {
 public:
  // Makes `base` when absent (0700). `launcher` and `clock` outlive this.
  static absl::StatusOr<std::unique_ptr<HookRunner>> Open(std::string base,
                                                          const ExecLauncher& launcher,
                                                          const Clock& clock);

  // Runs the hook and waits for its end and that of all it started; its output is copied to
  // `output` as it comes. A hook of this command that ran before, or runs, is waited for instead.
  //
  // Errors: DEADLINE_EXCEEDED, its time was up and it was ended; ABORTED, it was cancelled and
  // ended; CANCELLED, the agent stops and the hook goes on; NOT_FOUND or INTERNAL, it could not be
  // started, with the reason; UNKNOWN, nobody saw how it ended, or it cannot be killed.
  absl::StatusOr<HookEnd> Run(const HookOrder& order, OutputSpool& output, const HookWatch& watch);

  // The same for a hook that an earlier process of the agent started; nothing is started.
  // FAILED_PRECONDITION: proven never to have run. Otherwise as Run.
  absl::StatusOr<HookEnd> Adopt(const HookOrder& order, OutputSpool& output,
                                const HookWatch& watch);

  // The rollout is closed: its folders go.
  void Forget(const RolloutId& rollout) const;

 private:
  HookRunner(std::string base, const ExecLauncher& launcher, const Clock& clock)
      : base_(std::move(base)), launcher_(launcher), clock_(clock) {}

  std::string DirOf(const HookOrder& order) const;
  absl::StatusOr<HookEnd> Await(const Execution& run, const HookOrder& order, OutputSpool& output,
                                const HookWatch& watch) const;
  absl::Status EndRun(const Execution& run, const HookOrder& order) const;

  const std::string base_;
  const ExecLauncher& launcher_;
  const Clock& clock_;
};

}  // namespace slipway::agent
