// What the checkers know: kept from what was seen from outside, never asked of the parts.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/core/record.h"
#include "controller/engine/state.h"

namespace slipway::sim {

struct TaskBook {
  int issued = 0;  // highest attempt with a durable TaskIssued
  bool open = false;
  bool again = false;      // the last attempt ended, another one follows
  bool by_person = false;  // a person asked for the next attempt
  bool by_late = false;    // a late answer allowed it
  std::optional<Outcome> final;
};

struct RolloutBook {
  engine::Planned planned;
  engine::Schedule backward;
  std::map<engine::TaskId, TaskBook> tasks;
  std::set<engine::HostIx> dropped;  // of the course that runs
  std::set<engine::HostIx> touched;
  std::size_t open = 0;
  Course course = Course::forward;
  std::optional<std::uint16_t> batch;
  bool turned_back = false;
  std::optional<engine::Finished> finished;
  std::map<std::uint64_t, std::string> holders;  // by epoch
  std::vector<std::string> acknowledged;         // records that some process was told are durable
  engine::State shadow;                          // what a replay of `acknowledged` gives
  absl::Time moved_at = absl::InfinitePast();    // virtual time of the last record

  const engine::Schedule& ScheduleOf(Course course_in) const {
    return course_in == Course::backward ? backward : planned.forward;
  }
  const engine::Step& StepOf(const engine::TaskId& task) const {
    const engine::Schedule& schedule = ScheduleOf(task.course);
    return schedule.steps[schedule.batches[task.batch].steps[task.step]];
  }
  std::optional<engine::HostIx> Find(const HostId& host) const {
    for (std::size_t i = 0; i < planned.hosts.size(); ++i) {
      if (planned.hosts[i].id == host) return static_cast<engine::HostIx>(i);
    }
    return std::nullopt;
  }
};

struct HostBook {
  std::vector<agent::Record> durable;  // since the last rewrite
  std::optional<std::vector<agent::Record>> rewriting;
  std::set<CommandId> accepted, started_durably;
  std::map<CommandId, Answer> answered;               // durable
  std::map<CommandId, Answer> said;                   // on the wire
  std::map<CommandId, std::vector<Fence>> delivered;  // fences on the wire, last one last
  std::map<CommandId, Fence> taken_under;             // of them, the one it was accepted with
  std::map<RolloutId, Fence> highest;                 // accepted, as it stood on the wire
  std::set<RolloutId> closed;
  std::map<CommandId, int> starts, effects;
  std::map<std::pair<RolloutId, Course>, std::set<std::uint16_t>> stopped_in;  // batches
  std::uint64_t pid = 0;
};

}  // namespace slipway::sim
