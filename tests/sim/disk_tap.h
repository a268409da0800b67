// Sits between the agent's log and its disk and tells the checkers what became durable.
#pragma once

#include <string>

#include "agent/state/log_file.h"
#include "tests/sim/rig.h"

namespace slipway::sim {

class DiskTap final : public agent::LogFile {
 public:
  DiskTap(Rig& rig, std::size_t host, agent::LogFile& beneath)
      : rig_(rig), host_(host), beneath_(beneath) {}

  absl::StatusOr<std::string> Read() override { return beneath_.Read(); }
  absl::Status Append(std::string_view bytes) override;
  absl::Status Sync() override;
  absl::Status Truncate(std::uint64_t size) override;
  absl::Status Replace(std::string_view bytes) override;
  absl::Status ReleaseReserve() override;
  absl::Status RefillReserve() override { return beneath_.RefillReserve(); }

 private:
  Rig& rig_;
  const std::size_t host_;
  agent::LogFile& beneath_;
  std::string unsynced_;  // appended since the last sync
};

}  // namespace slipway::sim
