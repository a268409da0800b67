// The driver of units: services that systemd runs, for real hosts. What a unit is and how it runs
// says its unit file, which is the host's; it is started, stopped, looked at and found again here.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "agent/services/service_manager.h"
#include "agent/services/systemd.h"
#include "agent/services/unit_job.h"
#include "agent/services/unit_journal.h"
#include "agent/services/unit_record.h"
#include "common/clock.h"
#include "common/mutex.h"

namespace slipway::agent {

// Thread-safe. Services live on when the agent ends and are found again by unit and invocation.
//
// A unit file that was changed on disk is read again before a start. A stop is systemd's own (with
// ExecStop=, and without a restart); the ladder's further signals come on top of it.
class SystemdServiceManager final : public ServiceManager {
 public:
  // Records lie below `base`, which is made by the first start. What is handed in outlives this.
  SystemdServiceManager(std::string base, const Systemd& systemd, const UnitJournal& journal,
                        const Clock& clock)
      : clock_(clock), systemd_(systemd), journal_(journal), records_(std::move(base)) {}

  absl::Status Start(const ServiceSpec& spec) override ABSL_LOCKS_EXCLUDED(mu_);
  absl::StatusOr<StopReport> Stop(const ServiceId& id, const StopOrder& order) override
      ABSL_LOCKS_EXCLUDED(mu_);
  ServiceStatus Inspect(const ServiceId& id) const override;
  std::vector<ServiceId> Services() const override;
  LogPiece ReadLog(const ServiceId& id, const LogPosition& from,
                   std::uint64_t bytes_max) const override;
  std::string LastLines(const ServiceId& id, const LogPosition& from, int lines) const override;

 private:
  // One service is started or stopped by one thread at a time; the others wait.
  class Turn;

  absl::Status StartFresh(UnitJob& job, const ServiceSpec& spec, const UnitLook& look);
  // It is there already: right so, or in the way.
  absl::Status Join(UnitJob& job, const ServiceSpec& spec, const UnitLook& look);
  absl::StatusOr<UnitLook> WaitUntilUp(UnitJob& job, const ServiceSpec& spec);
  // Why it is not up; OK when it is, or was since `earlier` and died.
  absl::Status Judge(const UnitJob& job, const UnitRecord& record, const UnitLook& earlier,
                     const UnitLook& look) const;
  absl::Status Remember(UnitRecord record, const UnitLook& look) const;

  absl::Status End(UnitJob& job, const UnitRecord& record, const StopOrder& order,
                   StopReport& report);
  absl::Status Climb(UnitJob& job, const UnitRecord& record, const StopOrder& order,
                     StopReport& report);
  absl::Status SendRung(UnitJob& job, int signal, StopReport& report);
  absl::StatusOr<bool> EndsWithin(UnitJob& job, absl::Duration limit);
  absl::Status ProveGone(UnitJob& job, const UnitRecord& record, const StopOrder& order);
  absl::Status ProveNobodyExecutes(const UnitRecord& record) const;

  const Clock& clock_;
  const Systemd& systemd_;
  const UnitJournal& journal_;
  const UnitRecords records_;
  Mutex mu_;
  CondVar turn_over_;
  std::set<ServiceId> busy_ ABSL_GUARDED_BY(mu_);
};

}  // namespace slipway::agent
