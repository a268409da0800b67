#include "controller/rpc/rollout_convert.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "common/overloaded.h"
#include "slipway/journal/v1/description.pb.h"
#include "slipway/v1/rollout.pb.h"

namespace slipway::controller {
namespace {

using engine::State;
using v1::HostStatus;
using v1::PhaseStatus;

void Set(google::protobuf::Timestamp* out, absl::Time time) {
  const std::int64_t us = absl::ToUnixMicros(time);
  out->set_seconds(us / 1'000'000);
  out->set_nanos(static_cast<std::int32_t>(us % 1'000'000 * 1000));
}

bool IsKnown(absl::Time time) {
  return time != absl::InfinitePast() && time != absl::InfiniteFuture();
}

v1::Rollout::State EndOf(engine::Result result) {
  switch (result) {
    case engine::Result::succeeded:
      return v1::Rollout::SUCCEEDED;
    case engine::Result::rolled_back:
      return v1::Rollout::ROLLED_BACK;
    case engine::Result::needs_person:
      return v1::Rollout::NEEDS_PERSON;
    case engine::Result::aborted:
      return v1::Rollout::ABORTED;
  }
  return v1::Rollout::NEEDS_PERSON;
}

v1::Rollout::State StateOf(const State& state) {
  if (state.finished) return EndOf(state.finished->result);
  if (state.hold.why != engine::Hold::Why::none) return v1::Rollout::HELD;
  return state.turned_back ? v1::Rollout::ROLLING_BACK : v1::Rollout::RUNNING;
}

bool IsBad(const engine::Task& task) {
  return task.outcome.has_value() && *task.outcome != Outcome::succeeded;
}

// Sums up the tasks of one schedule by phase: which have begun, when, and how far they came.
class Phases {
 public:
  Phases(const State& state, Course course)
      : state_(state),
        schedule_(course == Course::forward ? state.forward : state.backward),
        course_(course),
        statuses_(schedule_.phases.size()),
        hosts_(schedule_.phases.size()) {
    for (std::size_t p = 0; p < statuses_.size(); ++p) {
      statuses_[p].set_name(schedule_.phases[p].name);
      statuses_[p].set_back(course == Course::backward);
      statuses_[p].set_state(PhaseStatus::WAITING);
    }
    for (std::size_t b = 0; b < schedule_.batches.size(); ++b) CountBatch(b);
    for (const auto& [id, task] : state.tasks) {
      if (id.course == course) CountTask(id, task);
    }
  }

  void AppendTo(v1::Rollout& rollout) {
    for (std::size_t p = 0; p < statuses_.size(); ++p) {
      PhaseStatus& status = statuses_[p];
      std::uint32_t done = 0;
      for (const auto& [host, finished] : hosts_[p]) done += finished;
      status.set_hosts(static_cast<std::uint32_t>(hosts_[p].size()));
      status.set_hosts_done(done);
      if (status.state() == PhaseStatus::DONE) SetEnd(p);
      *rollout.add_phases() = status;
    }
  }

 private:
  bool IsCurrentCourse() const { return state_.course == course_; }
  // Batches before the current one are over; so is all of it when the rollout is.
  bool IsOver(std::size_t batch) const {
    if (!IsCurrentCourse()) return course_ == Course::forward && batch < LastForward();
    return batch < state_.batch || (state_.finished && state_.entered);
  }
  bool IsRunning(std::size_t batch) const {
    return IsCurrentCourse() && state_.entered && batch == state_.batch && !state_.finished;
  }
  // The forward batch in which the fleet turned back.
  std::size_t LastForward() const {
    std::size_t last = 0;
    for (const auto& [id, task] : state_.tasks) {
      if (id.course == Course::forward) last = std::max<std::size_t>(last, id.batch);
    }
    return last;
  }

  void CountBatch(std::size_t b) {
    const engine::Batch& batch = schedule_.batches[b];
    PhaseStatus& status = statuses_[batch.phase];
    status.set_batches(status.batches() + 1);
    const bool over = IsOver(b);
    for (const engine::Chain& chain : batch.hosts) {
      bool& done = hosts_[batch.phase].emplace(chain.host, true).first->second;
      const auto lane = state_.lanes.find(chain.host);
      const bool lane_done = IsRunning(b) && lane != state_.lanes.end() && lane->second.done;
      done = done && (over || lane_done);
    }
    if (IsRunning(b)) {
      status.set_batch(status.batches());
      status.set_state(PhaseStatus::RUNNING);
    } else if (over && status.state() == PhaseStatus::WAITING) {
      status.set_state(PhaseStatus::DONE);
    } else if (!over && status.state() == PhaseStatus::DONE) {
      status.set_state(state_.finished || !IsCurrentCourse() ? PhaseStatus::FAILED
                                                             : PhaseStatus::RUNNING);
    }
  }

  void CountTask(const engine::TaskId& id, const engine::Task& task) {
    PhaseStatus& status = statuses_[schedule_.batches[id.batch].phase];
    const absl::Time at = task.first_issued_at;
    auto& start = starts_[schedule_.batches[id.batch].phase];
    if (IsKnown(at) && (start == absl::Time() || at < start)) {
      start = at;
      Set(status.mutable_started(), at);
    }
    if (IsBad(task) && !task.skipped) status.set_state(PhaseStatus::FAILED);
    if (IsBad(task)) hosts_[schedule_.batches[id.batch].phase][id.host] = false;
  }

  // A phase ends when the next one begins, or with the rollout.
  void SetEnd(std::size_t phase) {
    absl::Time end = state_.finished ? state_.finished->at : absl::Time();
    if (course_ == Course::forward && state_.turned_back) end = state_.turned_back_at;
    for (const auto& [other, start] : starts_) {
      if (other > phase && start != absl::Time() && (end == absl::Time() || start < end))
        end = start;
    }
    if (end != absl::Time()) Set(statuses_[phase].mutable_ended(), end);
  }

  const State& state_;
  const engine::Schedule& schedule_;
  const Course course_;
  std::vector<PhaseStatus> statuses_;
  std::vector<std::map<engine::HostIx, bool>> hosts_;
  std::map<std::size_t, absl::Time> starts_;
};

void SetVersions(HostStatus& status, const Observed& observed) {
  for (const auto& [app, version] : observed) {
    v1::VersionMessage& message = (*status.mutable_observed())[app];
    message.set_on_disk(version.on_disk);
    message.set_running(version.running);
    message.set_label(version.label);
    message.set_healthy(version.healthy);
  }
}

// What the host does in the batch that runs.
void SetLane(HostStatus& status, const State& state, engine::HostIx host,
             const engine::Lane& lane) {
  const engine::Schedule& schedule =
      lane.course == Course::backward ? state.backward : state.forward;
  const engine::Batch& batch = schedule.batches[lane.batch];
  status.set_phase(schedule.phases[batch.phase].name);
  if (lane.done || lane.next >= batch.steps.size()) {
    status.set_state(HostStatus::DONE);
    return;
  }
  const engine::TaskId id{lane.course, lane.batch, lane.next, host};
  status.set_step(engine::StepOf(state, id).name);
  const auto task = state.tasks.find(id);
  const bool open = state.open.contains(id);
  status.set_state(open ? HostStatus::RUNNING : HostStatus::WAITING);
  if (task == state.tasks.end()) return;
  status.set_attempt(static_cast<std::uint32_t>(task->second.attempt));
  if (IsKnown(task->second.first_issued_at))
    Set(status.mutable_since(), task->second.first_issued_at);
  if (!open && task->second.attempt > 0) status.set_message(task->second.message);
}

HostStatus StatusOf(const RolloutView& view, engine::HostIx host) {
  const State& state = view.state;
  HostStatus status;
  status.set_name(state.hosts[host].id.text);
  status.set_connected(view.presence.attached.contains(host));
  status.set_standing(std::string(engine::Word(engine::StandingOf(state, host))));
  status.set_state(state.finished ? HostStatus::DONE : HostStatus::WAITING);
  const auto lane = state.lanes.find(host);
  if (lane != state.lanes.end() && !state.finished) SetLane(status, state, host, lane->second);
  if (const auto out = state.out.find(host); out != state.out.end()) {
    const bool unknown = out->second.outcome == Outcome::unknown;
    const bool failed = out->second.outcome.has_value() && !unknown;
    status.set_state(unknown ? HostStatus::UNKNOWN : failed ? HostStatus::FAILED : HostStatus::OUT);
    status.set_message(out->second.why);
  }
  const auto seen = state.seen.find(host);
  const auto before = state.before.find(host);
  if (seen != state.seen.end()) {
    SetVersions(status, seen->second);
  } else if (before != state.before.end()) {
    SetVersions(status, before->second);
  }
  return status;
}

void AddFailures(v1::Rollout& rollout, const RolloutView& view) {
  const State& state = view.state;
  for (const auto& [id, task] : state.tasks) {
    if (!IsBad(task)) continue;
    const engine::Schedule& schedule =
        id.course == Course::backward ? state.backward : state.forward;
    v1::FailureNote& note = *rollout.add_failures();
    note.set_host(state.hosts[id.host].id.text);
    note.set_phase(schedule.phases[schedule.batches[id.batch].phase].name);
    note.set_step(engine::StepOf(state, id).name);
    note.set_attempts(static_cast<std::uint32_t>(task.attempt));
    note.set_outcome(std::string(ToString(*task.outcome)));
    note.set_message(task.message);
    note.set_excerpt(task.excerpt);
    note.set_back(id.course != Course::forward);
    note.set_command(ToString(
        CommandId{view.id, id.course, id.batch, id.step, state.hosts[id.host].id, task.attempt}));
  }
}

void SetDescription(v1::Rollout& rollout, const RolloutDescription& d) {
  rollout.set_plan(d.plan);
  rollout.set_environment(d.environment);
  rollout.set_release(d.release);
  rollout.set_version(d.version);
  rollout.set_digest(d.digest);
  rollout.set_plan_digest(d.plan_digest);
  rollout.set_created_by(d.created_by);
  rollout.set_reason(d.reason);
  rollout.set_ticket(d.ticket);
  rollout.mutable_planned()->set_seconds(absl::ToInt64Seconds(d.worst_case));
  for (const std::string& version : d.previous) rollout.add_previous_versions(version);
}

// "approval by dba: is the backup there?"
std::string GateText(const engine::Gate& gate) {
  const std::string count =
      gate.approvals > 1 ? absl::StrCat(" (", gate.approvals, " people)") : std::string();
  return absl::StrCat("approval by ", gate.role, count, gate.text.empty() ? "" : ": ", gate.text);
}

void AddPeople(v1::Rollout& rollout, const State& state) {
  const engine::Gate* gate = engine::WaitingGate(state);
  if (gate != nullptr && gate->kind == engine::Gate::Kind::approval) {
    rollout.set_approval_by(gate->role);
    if (rollout.hold_why() == "gate") rollout.set_hold_text(GateText(*gate));
  }
  for (const auto& [batch, answers] : state.answers) {
    for (const engine::GateAnswered& answer : answers) {
      v1::Approval& approval = *rollout.add_approvals();
      approval.set_phase(state.forward.phases[state.forward.batches[batch].phase].name);
      approval.set_approved(answer.approves);
      approval.set_who(answer.who);
      approval.set_role(answer.role);
      approval.set_note(answer.note);
      Set(approval.mutable_at(), answer.at);
      if (IsKnown(answer.until)) Set(approval.mutable_until(), answer.until);
    }
  }
  for (const engine::Noted& noted : state.notes) {
    v1::Note& note = *rollout.add_notes();
    note.set_who(noted.who);
    note.set_text(noted.text);
    Set(note.mutable_at(), noted.at);
  }
}

// Folded away by nobody: failures, holds, turns and the end.
bool IsImportant(const engine::Event& event) {
  return std::visit(
      Overloaded{
          [](const engine::TaskEnded& e) { return e.outcome != Outcome::succeeded; },
          [](const engine::TaskResolved&) { return true; },
          [](const engine::HostTurnedBack&) { return true; },
          [](const engine::HostTripped&) { return true; }, [](const engine::Held&) { return true; },
          [](const engine::Released&) { return true; },
          [](const engine::Stopping&) { return true; },
          [](const engine::TurnedBack&) { return true; },
          [](const engine::Finished&) { return true; }, [](const engine::Planned&) { return true; },
          [](const engine::BatchEntered&) { return false; },
          [](const engine::TaskIssued&) { return false; },
          [](const engine::GateAnswered&) { return true; },
          [](const engine::Noted&) { return true; },
          [](const engine::GatePassed&) { return false; },
          [](const engine::HostSeen&) { return false; }},
      event);
}

bool IsApprovalAsked(const engine::Event& event) {
  const auto* held = std::get_if<engine::Held>(&event);
  return held != nullptr && held->hold.why == engine::Hold::Why::gate && !held->hold.who.empty();
}

// What another line tells as well: how an attempt that was issued ended, what a step's end made of
// a host, why the fleet stops before it turns back.
bool IsDetail(const engine::Event& event) {
  if (const auto* issued = std::get_if<engine::TaskIssued>(&event)) return issued->attempt == 1;
  if (const auto* turned = std::get_if<engine::TurnedBack>(&event)) return turned->automatic;
  return std::holds_alternative<engine::HostSeen>(event);
}

}  // namespace

std::string EncodeDescription(const RolloutDescription& d) {
  journal::v1::Description message;
  message.set_plan(d.plan);
  message.set_environment(d.environment);
  message.set_release(d.release);
  message.set_version(d.version);
  message.set_digest(d.digest);
  message.set_plan_digest(d.plan_digest);
  message.set_plan_path(d.plan_path);
  message.set_plan_bytes(d.plan_bytes);
  message.set_created_by(d.created_by);
  message.set_reason(d.reason);
  message.set_ticket(d.ticket);
  message.set_worst_case_us(absl::ToInt64Microseconds(d.worst_case));
  for (const std::string& version : d.previous) message.add_previous(version);
  return message.SerializeAsString();
}

RolloutDescription DecodeDescription(const std::string& bytes) {
  journal::v1::Description message;
  RolloutDescription d;
  if (!message.ParseFromString(bytes)) return d;
  d.plan = message.plan();
  d.environment = message.environment();
  d.release = message.release();
  d.version = message.version();
  d.digest = message.digest();
  d.plan_digest = message.plan_digest();
  d.plan_path = message.plan_path();
  d.plan_bytes = message.plan_bytes();
  d.created_by = message.created_by();
  d.reason = message.reason();
  d.ticket = message.ticket();
  d.worst_case = absl::Microseconds(message.worst_case_us());
  d.previous.assign(message.previous().begin(), message.previous().end());
  return d;
}

std::vector<std::string> PreviousVersions(const State& state) {
  std::map<std::string, int> counts;
  for (const auto& [host, observed] : state.before) {
    for (const auto& [app, version] : observed) {
      if (!version.label.empty()) {
        ++counts[version.label];
      } else if (!version.on_disk.empty()) {
        ++counts[version.on_disk.substr(version.on_disk.find(':') + 1, 8)];
      }
    }
  }
  std::vector<std::pair<int, std::string>> ranked;
  for (const auto& [version, count] : counts) ranked.emplace_back(-count, version);
  std::sort(ranked.begin(), ranked.end());
  std::vector<std::string> versions;
  for (const auto& [count, version] : ranked) versions.push_back(version);
  return versions;
}

v1::Rollout ToProto(const RolloutView& view, absl::Time began) {
  const State& state = view.state;
  v1::Rollout rollout;
  rollout.set_id(view.id.text);
  rollout.set_sequence(view.sequence);
  Set(rollout.mutable_created(), began);
  SetDescription(rollout, DecodeDescription(state.description));
  if (rollout.previous_versions().empty()) {
    for (const std::string& version : PreviousVersions(state))
      rollout.add_previous_versions(version);
  }
  rollout.set_state(StateOf(state));
  rollout.set_hold_why(view.trouble.empty() ? std::string(engine::Word(state.hold.why))
                                            : "storage");
  rollout.set_hold_text(view.trouble.empty() ? state.hold.text : view.trouble);
  if (state.finished) {
    rollout.set_text(state.finished->text);
    Set(rollout.mutable_ended(), state.finished->at);
  } else if (state.stopping) {
    rollout.set_text(state.stopping->reason);
  }
  Phases(state, Course::forward).AppendTo(rollout);
  if (state.turned_back) Phases(state, Course::backward).AppendTo(rollout);
  for (engine::HostIx host = 0; host < state.hosts.size(); ++host) {
    *rollout.add_hosts() = StatusOf(view, host);
  }
  AddFailures(rollout, view);
  AddPeople(rollout, state);
  return rollout;
}

v1::Rollout ToProto(const RolloutSummary& summary) {
  v1::Rollout rollout;
  rollout.set_id(summary.id.text);
  SetDescription(rollout, DecodeDescription(summary.description));
  Set(rollout.mutable_created(), summary.began);
  rollout.set_state(summary.finished ? EndOf(summary.finished->result) : v1::Rollout::RUNNING);
  if (summary.finished) {
    Set(rollout.mutable_ended(), summary.finished->at);
    rollout.set_text(summary.finished->text);
  }
  return rollout;
}

v1::Change ToProto(const RolloutView& view, const SequencedEvent& event) {
  v1::Change change;
  change.set_sequence(event.sequence);
  change.set_text(engine::Describe(view.state, *event.event));
  if (IsApprovalAsked(*event.event)) {
    change.set_text(absl::StrCat(change.text(), "; slipway approve ", view.id.text));
  }
  change.set_important(IsImportant(*event.event));
  change.set_detail(IsDetail(*event.event));
  std::visit([&](const auto& e) { Set(change.mutable_at(), e.at); }, *event.event);
  return change;
}

}  // namespace slipway::controller
