// What the driver of units remembers of a service.
//
//   BASE/<service>@<app, escaped>/unit
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "agent/services/service_manager.h"
#include "common/process/proc.h"

namespace slipway::agent {

struct UnitRecord {
  ServiceSpec spec = {};         // as it was started; of no use: argv, env, user
  LogPosition log_start = {};    // taken before the job was queued
  std::string before = {};       // invocation that preceded ours
  std::string invocation = {};   // ours; "" = the agent ended before it could ask
  ProcessIdentity process = {};  // its main process; until it is known, the boot of the order
  std::string executable = {};   // of that
  bool taken_over = false;       // somebody else had started it
  bool stopping = false;         // we told it to end: its end is no death
};

// Each record survives a power cut once it is written.
class UnitRecords {
 public:
  explicit UnitRecords(std::string base) : base_(std::move(base)) {}

  absl::Status Write(const UnitRecord& record) const;
  // nullopt: never started here.
  std::optional<UnitRecord> Find(const ServiceId& id) const;
  std::vector<UnitRecord> All() const;

 private:
  const std::string base_;
};

}  // namespace slipway::agent
