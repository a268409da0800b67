// The built-in driver: services under the child shim, for containers, laptops and the quick start.
//
//   BASE/<service>@<app, escaped>/
//     lock      held by the shim of the one run that lives
//     log       its standard output and error; log.1 … log.4 are older
//     run.N/    one start each (exec_spec.h), with
//       service   what was started, and where its log stood
//       stopping  there once we told it to end: its end is no death
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/services/execution.h"
#include "agent/services/service_manager.h"
#include "common/clock.h"
#include "common/mutex.h"

namespace slipway::agent {

// Thread-safe. Services live on when the agent ends and are found again by their records.
class ProcessServiceManager final : public ServiceManager {
 public:
  // `base` is made when absent (0700). `clock` and `launcher` outlive this.
  static absl::StatusOr<std::unique_ptr<ProcessServiceManager>> Open(std::string base,
                                                                     const ExecLauncher& launcher,
                                                                     const Clock& clock);

  absl::Status Start(const ServiceSpec& spec) override ABSL_LOCKS_EXCLUDED(mu_);
  absl::StatusOr<StopReport> Stop(const ServiceId& id, const StopOrder& order) override
      ABSL_LOCKS_EXCLUDED(mu_);
  ServiceStatus Inspect(const ServiceId& id) const override ABSL_LOCKS_EXCLUDED(mu_);
  std::vector<ServiceId> Services() const override;
  LogPiece ReadLog(const ServiceId& id, const LogPosition& from,
                   std::uint64_t bytes_max) const override ABSL_LOCKS_EXCLUDED(mu_);
  std::string LastLines(const ServiceId& id, const LogPosition& from, int lines) const override
      ABSL_LOCKS_EXCLUDED(mu_);

 private:
  // One start, as its folder tells.
  struct Run {
    int number = 0;
    Execution execution{""};
    ServiceSpec spec = {};
    LogPosition log_start = {};
  };

  ProcessServiceManager(std::string base, const ExecLauncher& launcher, const Clock& clock)
      : clock_(clock), launcher_(launcher), base_(std::move(base)) {}

  std::string FolderOf(const ServiceId& id) const;
  std::string LogOf(const Run& run) const;
  std::vector<Run> Runs(const std::string& folder) const;
  // The living run, else the newest.
  std::optional<Run> Latest(const ServiceId& id) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status Launch(const ServiceSpec& spec, const std::string& folder, int number)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status End(const Run& run, const StopOrder& order, StopReport& report);
  absl::Status Climb(const Run& run, const StopOrder& order, StopReport& report);
  absl::Status ProveGone(const ServiceId& id, const std::optional<Run>& run,
                         const StopOrder& order) const;

  const Clock& clock_;
  const ExecLauncher& launcher_;
  const std::string base_;
  // Held while a run is launched and while runs are looked for: to look at a run whose shim is
  // on its way would take its folder away from it (Execution::State).
  mutable Mutex mu_;
};

}  // namespace slipway::agent
