// Invariants of the journal and of what the controller sends.
#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/overloaded.h"
#include "controller/engine/engine.h"
#include "controller/journal/chain.h"
#include "controller/journal/event_codec.h"
#include "tests/sim/checkers.h"
#include "tests/sim/controller_side.h"
#include "tests/sim/machine.h"

namespace slipway::sim {

void Checkers::Broken(const char* invariant, std::string text) {
  if (!violation_) violation_ = Violation{invariant, std::move(text)};
}

void Checkers::OnAppended(const RolloutId& rollout, std::uint64_t first, std::uint64_t epoch,
                          const std::string& holder, const std::vector<std::string>& records) {
  RolloutBook& book = rollouts_[rollout];
  I5OneHolderPerEpoch(book, rollout, epoch, holder);
  I23SomethingHappensInTime(rollout, book);
  if (first != book.acknowledged.size() + 1) {
    Broken("I1", absl::StrCat(rollout.text, ": ", holder, " was told that record ", first,
                              " is durable, after ", book.acknowledged.size()));
  }
  for (const std::string& bytes : records) {
    book.acknowledged.push_back(bytes);
    const auto event = controller::DecodeEvent(bytes);
    if (!event.ok()) return Broken("I1", std::string(event.status().message()));
    Note(rollout, book, *event);
  }
  book.moved_at = rig_.timeline.Now();
}

// The journal after recovery holds everything that was acknowledged, in that order.
void Checkers::I1PrefixDurability(const RolloutId& rollout,
                                  const std::vector<controller::Record>& records) {
  const std::vector<std::string>& acknowledged = rollouts_[rollout].acknowledged;
  for (std::size_t i = 0; i < acknowledged.size(); ++i) {
    if (i < records.size() && records[i].bytes == acknowledged[i]) continue;
    return Broken("I1", absl::StrCat(rollout.text, ": record ", i + 1,
                                     " was acknowledged and is not in the journal"));
  }
}

// A rollout that has an acknowledged record is still known.
void Checkers::I1EveryRolloutIsThere(const std::vector<RolloutId>& rollouts) {
  for (const auto& [rollout, book] : rollouts_) {
    if (book.acknowledged.empty()) continue;
    if (std::find(rollouts.begin(), rollouts.end(), rollout) != rollouts.end()) continue;
    Broken("I1", absl::StrCat(rollout.text, " was acknowledged and the journal does not list it"));
  }
}

void Checkers::OnListed(const std::vector<RolloutId>& rollouts) {
  I1EveryRolloutIsThere(rollouts);
}

// h(n) = H(h(n-1), record n), and the sequence has no gap.
void Checkers::I2Chain(const RolloutId& rollout, const std::vector<controller::Record>& records) {
  controller::ChainVerifier verifier(rollout);
  for (const controller::Record& record : records) {
    const absl::Status holds = verifier.Check(record.sequence, record.epoch, record.bytes,
                                              absl::HexStringToBytes(record.head));
    if (!holds.ok()) return Broken("I2", std::string(holds.message()));
  }
}

void Checkers::OnJournalRead(const RolloutId& rollout,
                             const std::vector<controller::Record>& records) {
  I1PrefixDurability(rollout, records);
  I2Chain(rollout, records);
  // An append that crashed or was in doubt may have become durable all the same.
  RolloutBook& book = rollouts_[rollout];
  for (std::size_t i = book.acknowledged.size(); i < records.size(); ++i) {
    book.acknowledged.push_back(records[i].bytes);
    const auto event = controller::DecodeEvent(records[i].bytes);
    if (event.ok()) Note(rollout, book, *event);
  }
}

// One controller's appends for each epoch.
void Checkers::I5OneHolderPerEpoch(RolloutBook& book, const RolloutId& rollout, std::uint64_t epoch,
                                   const std::string& holder) {
  const auto [it, is_new] = book.holders.emplace(epoch, holder);
  if (it->second != holder || it != std::prev(book.holders.end())) {
    Broken("I5", absl::StrCat(rollout.text, ": ", holder, " appended under epoch ", epoch, " of ",
                              it->second, " or after a later one"));
  }
}

void Checkers::Note(const RolloutId& rollout, RolloutBook& book, const engine::Event& event) {
  engine::Apply(book.shadow, event);
  if (rig_.tells) rig_.Tell(rollout.text, " ", engine::Describe(book.shadow, event));
  std::visit(Overloaded{
                 [&](const engine::Planned& e) { book.planned = e; },
                 [&](const engine::BatchEntered& e) {
                   I10BatchesWaitForEachOther(book, e);
                   book.course = e.course;
                   book.batch = e.batch;
                 },
                 [&](const engine::TaskIssued& e) { NoteIssued(rollout, book, e); },
                 [&](const engine::TaskEnded& e) { NoteEnded(book, e); },
                 [&](const engine::TaskResolved& e) { NoteResolved(book, e); },
                 [&](const engine::HostTripped& e) {
                   rig_.coverage.Hit(Rare::host_tripped);
                   book.dropped.insert(e.host);
                 },
                 [&](const engine::HostTurnedBack& e) {
                   rig_.coverage.Hit(Rare::host_undone_alone);
                   book.dropped.insert(e.host);
                 },
                 [&](const engine::GateAnswered& e) {
                   rig_.coverage.Hit(e.approves ? Rare::gate_approved : Rare::gate_rejected);
                 },
                 [&](const engine::Noted&) { rig_.coverage.Hit(Rare::noted); },
                 [&](const engine::GatePassed&) { rig_.coverage.Hit(Rare::gate_passed); },
                 [&](const engine::Held& e) {
                   if (e.hold.why == engine::Hold::Why::brake) rig_.coverage.Hit(Rare::brake);
                   if (e.hold.why == engine::Hold::Why::needs_person) {
                     rig_.coverage.Hit(Rare::called_person);
                   }
                 },
                 [&](const engine::Released&) {},
                 [&](const engine::Stopping&) {},
                 [&](const engine::TurnedBack& e) {
                   rig_.coverage.Hit(e.automatic ? Rare::turned_back_by_itself
                                                 : Rare::turned_back_by_person);
                   book.backward = e.backward;
                   book.turned_back = true;
                   book.course = Course::backward;
                   book.batch.reset();
                   book.dropped.clear();
                 },
                 [&](const engine::HostSeen&) {},
                 [&](const engine::Finished& e) { book.finished = e; },
             },
             event);
}

void Checkers::NoteIssued(const RolloutId& rollout, RolloutBook& book,
                          const engine::TaskIssued& e) {
  I7NextAttemptOnlyAfterProof(rollout, book, e);
  I10OnlyTheEnteredBatchRuns(book, e);
  TaskBook& task = book.tasks[e.task];
  task.issued = e.attempt;
  task.open = true;
  task.again = task.by_person = task.by_late = false;
  ++book.open;
  const engine::Traits& traits = book.StepOf(e.task).traits;
  if (traits.disruptive || traits.undo != engine::Undo::not_needed)
    book.touched.insert(e.task.host);
}

void Checkers::NoteEnded(RolloutBook& book, const engine::TaskEnded& e) {
  I8OutcomeNeverChanges(book, e);
  TaskBook& task = book.tasks[e.task];
  if (task.open) --book.open;
  task.open = false;
  task.again = e.again_at.has_value();
  if (e.outcome == Outcome::timed_out) rig_.coverage.Hit(Rare::outcome_timed_out);
  if (task.again) return;
  task.final = e.outcome;
  if (e.outcome == Outcome::unknown) rig_.coverage.Hit(Rare::outcome_unknown);
  if (e.outcome == Outcome::unreachable) rig_.coverage.Hit(Rare::outcome_unreachable);
  if (e.outcome != Outcome::succeeded && e.outcome != Outcome::unknown)
    book.dropped.insert(e.task.host);
}

void Checkers::NoteResolved(RolloutBook& book, const engine::TaskResolved& e) {
  I8SettledOnlyIfOpenToIt(book, e);
  TaskBook& task = book.tasks[e.task];
  if (e.by.empty()) rig_.coverage.Hit(Rare::resolved_late);
  if (e.skipped) {
    rig_.coverage.Hit(Rare::skipped);
    book.dropped.insert(e.task.host);
    return;
  }
  task.final = e.outcome;
  task.by_person = !e.by.empty();
  task.by_late = e.by.empty();
  if (task.by_person) rig_.coverage.Hit(Rare::retried);
  if (e.task.course == Course::undo_one) return;  // out it stays
  if (e.goes_on) {
    book.dropped.erase(e.task.host);
  } else if (e.outcome != Outcome::succeeded) {
    book.dropped.insert(e.task.host);
  }
}

const Answer* Checkers::AnswerOf(const RolloutId& rollout, const engine::TaskId& task,
                                 int attempt) const {
  const RolloutBook& book = rollouts_.at(rollout);
  const CommandId id{rollout, task.course, task.batch, task.step, book.planned.hosts[task.host].id,
                     attempt};
  for (std::size_t host = 0; host < hosts_.size(); ++host) {
    if (rig_.machines[host]->id() != id.host) continue;
    const auto it = hosts_[host].answered.find(id);
    return it == hosts_[host].answered.end() ? nullptr : &it->second;
  }
  return nullptr;
}

// Attempt n+1 only after attempt n failed or provably had no effect; after an unknown one only
// when a person or a late proof allowed it.
void Checkers::I7NextAttemptOnlyAfterProof(const RolloutId& rollout, const RolloutBook& book,
                                           const engine::TaskIssued& event) {
  const auto it = book.tasks.find(event.task);
  const TaskBook task = it == book.tasks.end() ? TaskBook{} : it->second;
  const std::string what =
      absl::StrCat(rollout.text, ": attempt ", event.attempt, " of ", book.StepOf(event.task).name,
                   " on ", book.planned.hosts[event.task.host].id.text, " ");
  if (event.attempt != task.issued + 1) return Broken("I7", what + "skips a number");
  if (task.open) return Broken("I7", what + "while the one before is open");
  if (task.final) return Broken("I7", what + "after its final outcome");
  if (event.attempt == 1 || task.by_person) return;
  if (!task.again && !task.by_late) return Broken("I7", what + "for no reason");
  if (book.StepOf(event.task).traits.probe_decides) return;
  const Answer* answer = AnswerOf(rollout, event.task, task.issued);
  if (answer == nullptr || answer->verdict == Verdict::unknown ||
      answer->verdict == Verdict::succeeded) {
    Broken("I7", what + "although nobody knows whether the one before had its effect");
  }
}

// A final outcome is recorded once.
void Checkers::I8OutcomeNeverChanges(const RolloutBook& book, const engine::TaskEnded& event) {
  const auto it = book.tasks.find(event.task);
  if (it == book.tasks.end() || !it->second.final) return;
  Broken("I8", absl::StrCat("task ", book.StepOf(event.task).name, " ended twice"));
}

// Only unreachable and unknown are settled by a late answer; people may have anything but a
// success tried again.
void Checkers::I8SettledOnlyIfOpenToIt(const RolloutBook& book, const engine::TaskResolved& event) {
  const auto it = book.tasks.find(event.task);
  const auto final = it == book.tasks.end() ? std::nullopt : it->second.final;
  const bool undecided = final == Outcome::unreachable || final == Outcome::unknown;
  const bool allowed = event.by.empty() ? undecided : final != Outcome::succeeded;
  if (!allowed)
    Broken("I8", absl::StrCat("a settled outcome of ", book.StepOf(event.task).name, " changed"));
}

// No host begins a batch before every host of the one before is through or out.
void Checkers::I10BatchesWaitForEachOther(const RolloutBook& book, const engine::BatchEntered& e) {
  if (book.open > 0)
    return Broken("I10", absl::StrCat("batch ", e.batch, " entered while tasks are open"));
  if (e.batch == 0) return;
  const std::uint16_t before = static_cast<std::uint16_t>(e.batch - 1);
  const engine::Batch& batch = book.ScheduleOf(e.course).batches[before];
  for (const engine::Chain& chain : batch.hosts) {
    if (book.dropped.contains(chain.host)) continue;
    for (std::uint16_t step = chain.first; step < batch.steps.size(); ++step) {
      const auto it = book.tasks.find({e.course, before, step, chain.host});
      if (it != book.tasks.end() && it->second.final == Outcome::succeeded) continue;
      return Broken("I10", absl::StrCat("batch ", e.batch, " entered before ",
                                        book.planned.hosts[chain.host].id.text, " was through"));
    }
  }
}

void Checkers::I10OnlyTheEnteredBatchRuns(const RolloutBook& book, const engine::TaskIssued& e) {
  const Course course = e.task.course == Course::backward ? Course::backward : Course::forward;
  if (book.finished) return Broken("I10", "a task was issued after the end");
  if (book.batch == e.task.batch && book.course == course) return;
  Broken("I10", absl::StrCat("a task of batch ", e.task.batch, " was issued outside of it"));
}

const TaskBook* Checkers::FindTask(const CommandId& id) const {
  const auto rollout = rollouts_.find(id.rollout);
  if (rollout == rollouts_.end()) return nullptr;
  const auto host = rollout->second.Find(id.host);
  if (!host) return nullptr;
  const auto task = rollout->second.tasks.find({id.course, id.batch, id.step, *host});
  return task == rollout->second.tasks.end() ? nullptr : &task->second;
}

// No command on the wire without a durable ISSUED.
void Checkers::I3IssuedBeforeSent(const Command& command) {
  const TaskBook* task = FindTask(command.id);
  if (task != nullptr && command.id.attempt <= task->issued) return;
  Broken("I3", absl::StrCat(ToString(command.id), " was sent and is not in the journal"));
}

void Checkers::OnSent(const Command& command) {
  I3IssuedBeforeSent(command);
}

Moment Checkers::Now() const {
  if (rollouts_.empty() || rollouts_.rbegin()->second.finished) return Moment::none;
  const engine::State& state = rollouts_.rbegin()->second.shadow;
  using Why = engine::Hold::Why;
  if (state.hold.why == Why::gate) return Moment::gate;
  if (state.hold.why != Why::none) return Moment::held;
  if (state.course == Course::backward) return Moment::way_back;
  const engine::Schedule& schedule = state.forward;
  if (state.batch >= schedule.batches.size()) return Moment::stage;
  const std::string& phase = schedule.phases[schedule.batches[state.batch].phase].name;
  if (phase == "database") return Moment::database;
  if (phase == "switch") return Moment::exchange;
  return phase == "verify" ? Moment::verify : Moment::stage;
}

// The state that a replay builds is the live one.
void Checkers::I9ReplayEqualsLive(const engine::State& live, const engine::State& replayed) {
  if (!(live == replayed)) Broken("I9", "the replayed state differs from the live one");
}

// After every append, hence for every prefix that anybody can recover from.
void Checkers::OnPumped(const RolloutId& rollout, std::uint64_t next, const engine::State& live) {
  const RolloutBook& book = rollouts_.at(rollout);
  if (book.acknowledged.size() + 1 != next) return;  // frozen while another went on
  I9ReplayEqualsLive(live, book.shadow);
}

void Checkers::OnReplayed(const RolloutId&, const engine::State& live,
                          const engine::State& replayed) {
  I9ReplayEqualsLive(live, replayed);
  if (const std::string broken = engine::BrokenInvariant(live); !broken.empty())
    Broken("I9", broken);
}

}  // namespace slipway::sim
