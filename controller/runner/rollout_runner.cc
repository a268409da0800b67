#include "controller/runner/rollout_runner.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/overloaded.h"
#include "common/status_macros.h"
#include "common/template.h"
#include "controller/journal/event_codec.h"
#include "slipway/v1/action.pb.h"

namespace slipway::controller {
namespace {

absl::Status InvariantBroken(const RolloutId& rollout, const std::string& what) {
  return absl::InternalError(absl::StrCat("rollout ", rollout.text, " is halted: ", what,
                                          "; nothing was sent, please report this"));
}

absl::StatusOr<engine::Event> DecodeRecord(const RolloutId& rollout, const Record& record) {
  absl::StatusOr<engine::Event> event = DecodeEvent(record.bytes);
  if (event.ok()) return event;
  return absl::Status(event.status().code(),
                      absl::StrCat("rollout ", rollout.text, ", record ", record.sequence, ": ",
                                   event.status().message()));
}

// Journaled times are whole microseconds; a state that was decided on finer ones would differ
// from its own replay.
engine::Input InWholeMicroseconds(engine::Input input) {
  std::visit([](auto& in) { in.now = WholeMicroseconds(in.now); }, input);
  return input;
}

}  // namespace

std::string DirectoryOn(const engine::Target& host, const std::string& app) {
  if (app.find("{{") == std::string::npos) return app;
  v1::HostVars vars;
  if (!vars.ParseFromString(host.vars)) return app;
  const absl::StatusOr<std::string> directory =
      Render(app, {vars.vars().begin(), vars.vars().end()});
  return directory.ok() ? *directory : app;
}

std::string PreviousRelease(const engine::State& state, engine::HostIx host,
                            const engine::Step& step) {
  const auto before = state.before.find(host);
  if (before == state.before.end()) return "";
  const auto version = before->second.find(DirectoryOn(state.hosts[host], step.app));
  return version == before->second.end() ? "" : version->second.on_disk;
}

absl::StatusOr<engine::State> ReplayRecords(const RolloutId& rollout,
                                            const std::vector<Record>& records) {
  if (records.empty()) {
    return absl::NotFoundError(absl::StrCat("the journal has no rollout ", rollout.text));
  }
  engine::State state;
  for (const Record& record : records) {
    SLIPWAY_ASSIGN_OR_RETURN(const engine::Event event, DecodeRecord(rollout, record));
    engine::Apply(state, event);
  }
  if (std::string broken = engine::BrokenInvariant(state); !broken.empty()) {
    return InvariantBroken(rollout, broken);
  }
  return state;
}

RolloutRunner::RolloutRunner(RolloutId id, std::string holder, Lease lease, Journal& journal,
                             Outbound& out)
    : id_(std::move(id)),
      holder_(std::move(holder)),
      journal_(journal),
      out_(out),
      lease_(std::move(lease)) {}

absl::StatusOr<std::unique_ptr<RolloutRunner>> RolloutRunner::Open(RolloutId id, std::string holder,
                                                                   engine::Planned planned,
                                                                   Journal& journal,
                                                                   Outbound& out) {
  SLIPWAY_ASSIGN_OR_RETURN(Lease lease, journal.Acquire(id));
  if (lease.next != 1) {
    return absl::AlreadyExistsError(absl::StrCat("rollout ", id.text, " exists already"));
  }
  planned.at = WholeMicroseconds(planned.at);
  SLIPWAY_RETURN_IF_ERROR(journal.Append(id, lease, {EncodeEvent(planned)}));
  return Created(std::move(id), std::move(holder), std::move(planned), std::move(lease), journal,
                 out);
}

absl::StatusOr<std::unique_ptr<RolloutRunner>> RolloutRunner::Created(RolloutId id,
                                                                      std::string holder,
                                                                      engine::Planned planned,
                                                                      Lease lease, Journal& journal,
                                                                      Outbound& out) {
  std::unique_ptr<RolloutRunner> runner(
      new RolloutRunner(std::move(id), std::move(holder), std::move(lease), journal, out));
  engine::Apply(runner->state_, planned);
  if (std::string broken = engine::BrokenInvariant(runner->state_); !broken.empty()) {
    return InvariantBroken(runner->id_, broken);
  }
  runner->IndexHosts();
  runner->last_events_.emplace_back(std::move(planned));
  runner->last_first_sequence_ = 1;
  return runner;
}

absl::StatusOr<std::unique_ptr<RolloutRunner>> RolloutRunner::Recover(RolloutId id,
                                                                      std::string holder,
                                                                      Journal& journal,
                                                                      Outbound& out) {
  SLIPWAY_ASSIGN_OR_RETURN(Lease lease, journal.Acquire(id));
  SLIPWAY_ASSIGN_OR_RETURN(const std::vector<Record> records, journal.Read(id, 1));
  if (records.size() + 1 != lease.next) {
    return absl::FailedPreconditionError(
        absl::StrCat("rollout ", id.text, " went on under another holder while it was replayed"));
  }
  SLIPWAY_ASSIGN_OR_RETURN(engine::State state, ReplayRecords(id, records));
  std::unique_ptr<RolloutRunner> runner(
      new RolloutRunner(std::move(id), std::move(holder), std::move(lease), journal, out));
  runner->state_ = std::move(state);
  runner->IndexHosts();
  for (const engine::TaskId& task : runner->state_.open) runner->open_at_[task.host].insert(task);
  runner->last_first_sequence_ = runner->lease_.next;
  return runner;
}

void RolloutRunner::IndexHosts() {
  for (engine::HostIx ix = 0; ix < state_.hosts.size(); ++ix) {
    host_index_.emplace(state_.hosts[ix].id, ix);
  }
}

std::optional<engine::HostIx> RolloutRunner::Find(const HostId& host) const {
  const auto found = host_index_.find(host);
  if (found == host_index_.end()) return std::nullopt;
  return found->second;
}

absl::Status RolloutRunner::Pump(const std::vector<engine::Input>& inputs,
                                 std::vector<absl::Status>& verdicts) {
  last_events_.clear();
  verdicts.clear();
  last_first_sequence_ = lease_.next;
  for (const engine::Input& input : inputs) {
    const std::size_t decided = last_events_.size();
    verdicts.push_back(engine::Decide(state_, presence_, InWholeMicroseconds(input), last_events_));
    for (std::size_t i = decided; i < last_events_.size(); ++i) {
      if (std::string broken = engine::BrokenInvariant(state_, last_events_[i]); !broken.empty()) {
        return InvariantBroken(id_, broken);
      }
      TrackOpen(last_events_[i]);
    }
  }
  if (!last_events_.empty()) SLIPWAY_RETURN_IF_ERROR(Append());
  Dispatch(inputs);
  return absl::OkStatus();
}

absl::Status RolloutRunner::Append() {
  std::vector<std::string> records;
  records.reserve(last_events_.size());
  for (const engine::Event& event : last_events_) records.push_back(EncodeEvent(event));
  return journal_.Append(id_, lease_, records);
}

// An event changes what is open for the one task that it names, or for none.
void RolloutRunner::TrackOpen(const engine::Event& event) {
  const auto track = [this](const engine::TaskId& task) {
    std::set<engine::TaskId>& open = open_at_[task.host];
    state_.open.contains(task) ? (void)open.insert(task) : (void)open.erase(task);
  };
  std::visit(Overloaded{[&](const engine::TaskIssued& e) { track(e.task); },
                        [&](const engine::TaskEnded& e) { track(e.task); },
                        [&](const engine::TaskResolved& e) { track(e.task); }, [](const auto&) {}},
             event);
}

void RolloutRunner::Dispatch(const std::vector<engine::Input>& inputs) {
  for (const engine::Input& input : inputs) {
    if (const auto* report = std::get_if<engine::Reported>(&input)) AnswerReport(*report);
  }
  SendOpen(inputs);
  for (const engine::Event& event : last_events_) {
    if (!std::holds_alternative<engine::Finished>(event)) continue;
    for (const engine::Target& host : state_.hosts) out_.Closed(host.id, id_);
  }
}

// A task that was issued and answered within one batch of inputs has nothing to send any more;
// one that was issued to a host that attaches in the same batch is sent once.
void RolloutRunner::SendOpen(const std::vector<engine::Input>& inputs) {
  std::set<engine::TaskId> tasks;
  for (const engine::Event& event : last_events_) {
    const auto* issued = std::get_if<engine::TaskIssued>(&event);
    if (issued != nullptr && state_.open.contains(issued->task)) tasks.insert(issued->task);
  }
  for (const engine::Input& input : inputs) {
    const auto* attached = std::get_if<engine::Attached>(&input);
    if (attached == nullptr || attached->host >= state_.hosts.size()) continue;
    if (state_.finished) out_.Closed(state_.hosts[attached->host].id, id_);
    const auto open = open_at_.find(attached->host);
    if (open != open_at_.end()) tasks.insert(open->second.begin(), open->second.end());
  }
  for (const engine::TaskId& task : tasks) {
    out_.Send(state_.hosts[task.host].id, CommandFor(task));
  }
}

void RolloutRunner::AnswerReport(const engine::Reported& report) {
  if (!Knows(report)) return;
  const HostId& host = state_.hosts[report.task.host].id;
  out_.Acknowledge(host, NameOf(report.task, report.attempt));
  if (state_.finished) out_.Closed(host, id_);
}

// An answer to an attempt that this history does not hold is kept by its agent: it is proof that
// the journal went back in time.
bool RolloutRunner::Knows(const engine::Reported& report) const {
  const auto task = state_.tasks.find(report.task);
  return task != state_.tasks.end() && report.attempt <= task->second.attempt &&
         report.task.host < state_.hosts.size();
}

CommandId RolloutRunner::NameOf(const engine::TaskId& task, int attempt) const {
  return {id_, task.course, task.batch, task.step, state_.hosts[task.host].id, attempt};
}

Command RolloutRunner::CommandFor(const engine::TaskId& task) const {
  const engine::Step& step = engine::StepOf(state_, task);
  Command command;
  command.id = NameOf(task, state_.tasks.at(task).attempt);
  command.fence = {lease_.epoch, holder_, lease_.next - 1, lease_.head};
  command.direction = step.direction;
  command.payload = step.payload;
  command.vars = state_.hosts[task.host].vars;
  command.previous = PreviousRelease(state_, task.host, step);
  command.timeout = step.traits.timeout;
  return command;
}

}  // namespace slipway::controller
