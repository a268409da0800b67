// Rare paths: each must be taken in a campaign, or the campaign proves less than it says.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace slipway::sim {

enum class Rare {
  // Agent.
  agent_crashed_before_write,
  agent_crashed_in_write,
  agent_crashed_before_sync,
  agent_crashed_after_sync,
  agent_killed,
  agent_sync_failed,
  agent_log_compacted,
  agent_used_reserve,
  machine_rebooted,
  tail_was_torn,
  command_came_twice,
  later_attempt_waited,
  command_outlived_rollout,
  cancelled,
  probe_adopted,
  probe_succeeded,
  probe_not_applied,
  probe_unknown,
  unstarted_after_restart,
  refused_other_session,
  refused_stale_epoch,
  refused_closed_rollout,
  refused_old_attempt,
  refused_no_space,
  // Network.
  message_lost,
  message_doubled,
  message_late,
  partitioned,
  // Controller.
  controller_crashed_before_append,
  controller_crashed_after_append,
  append_in_doubt,
  controller_disk_full,
  controller_crashed_in_write,
  controller_lost_power,
  controller_log_was_torn,
  controller_sync_failed,
  taken_over,
  zombie_sent,
  zombie_append_refused,
  verb_refused,
  // Rollout.
  turned_back_by_itself,
  turned_back_by_person,
  host_undone_alone,
  host_tripped,
  brake,
  called_person,
  gate_approved,
  gate_rejected,
  gate_passed,
  noted,
  outcome_unknown,
  outcome_unreachable,
  outcome_timed_out,
  resolved_late,
  retried,
  skipped,
  finished_succeeded,
  finished_rolled_back,
  finished_needs_person,
  finished_aborted,
  waits_for_person,
  count_,
};

inline constexpr std::size_t kRareCount = static_cast<std::size_t>(Rare::count_);

class Coverage {
 public:
  void Hit(Rare rare) { ++hits_[static_cast<std::size_t>(rare)]; }
  std::uint64_t hits(Rare rare) const { return hits_[static_cast<std::size_t>(rare)]; }
  void Add(const Coverage& other) {
    for (std::size_t i = 0; i < kRareCount; ++i) hits_[i] += other.hits_[i];
  }

 private:
  std::array<std::uint64_t, kRareCount> hits_ = {};
};

const char* NameOf(Rare rare);
// One line each: count and name.
std::string Table(const Coverage& coverage);

}  // namespace slipway::sim
