#include "tests/sim/disk_tap.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/state/frames.h"
#include "tests/sim/checkers.h"

namespace slipway::sim {

absl::Status DiskTap::Append(std::string_view bytes) {
  const absl::Status appended = beneath_.Append(bytes);
  if (appended.ok()) unsynced_.append(bytes);
  return appended;
}

absl::Status DiskTap::Sync() {
  // The mutant believes that a write is durable once it is written.
  const bool skipped = rig_.mutant == Mutant::agent_skips_sync;
  const absl::Status synced = skipped ? absl::OkStatus() : beneath_.Sync();
  if (!synced.ok() || unsynced_.empty()) return synced;
  const auto content = agent::ReadLog(absl::StrCat(agent::EncodeFileHeader(), unsynced_));
  unsynced_.clear();
  if (content.ok()) rig_.checkers->OnAgentDurable(host_, content->records);
  return synced;
}

absl::Status DiskTap::Truncate(std::uint64_t size) {
  unsynced_.clear();  // only what was not synced is ever cut
  return beneath_.Truncate(size);
}

absl::Status DiskTap::Replace(std::string_view bytes) {
  const auto content = agent::ReadLog(bytes);
  if (content.ok()) rig_.checkers->OnAgentRewrites(host_, content->records);
  const absl::Status replaced = beneath_.Replace(bytes);
  if (replaced.ok()) {
    rig_.checkers->OnAgentRewrote(host_);
    if (content.ok() && !content->records.empty()) rig_.coverage.Hit(Rare::agent_log_compacted);
  }
  return replaced;
}

absl::Status DiskTap::ReleaseReserve() {
  rig_.coverage.Hit(Rare::agent_used_reserve);
  return beneath_.ReleaseReserve();
}

}  // namespace slipway::sim
