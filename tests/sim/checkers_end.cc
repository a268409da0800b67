// Invariants of a rollout's end.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "controller/engine/engine.h"
#include "tests/sim/checkers.h"
#include "tests/sim/controller_side.h"
#include "tests/sim/host_world.h"
#include "tests/sim/machine.h"
#include "tests/sim/random_plan.h"

namespace slipway::sim {
namespace {

using engine::Standing;

const HostWorld& WorldOf(const Rig& rig, const HostId& host) {
  for (const auto& machine : rig.machines) {
    if (machine->id() == host) return machine->world();
  }
  return rig.machines[0]->world();
}

std::string VersionBefore(const engine::State& state, engine::HostIx host) {
  const auto before = state.before.find(host);
  if (before == state.before.end()) return "";
  const auto version = before->second.find(kApp);
  return version == before->second.end() ? "" : version->second.on_disk;
}

}  // namespace

// Every host of a rollout that ended is in exactly one class, and whoever takes no further
// part is named in the last word.
void Checkers::I12EveryHostIsNamed(const engine::State& state) {
  for (engine::HostIx host = 0; host < state.hosts.size(); ++host) {
    const Standing standing = engine::StandingOf(state, host);
    const bool known = standing >= Standing::new_version && standing <= Standing::untouched;
    const bool out = state.out.contains(host);
    const bool named =
        !out || state.finished->text.find(state.hosts[host].id.text) != std::string::npos;
    if (!known || !named) {
      Broken("I12", absl::StrCat(state.hosts[host].id.text,
                                 " is not named at the end: ", state.finished->text));
    }
  }
}

// A version that is claimed is what the host has.
void Checkers::I13ClaimedVersionIsThere(const RolloutBook&, const engine::State& state) {
  for (engine::HostIx host = 0; host < state.hosts.size(); ++host) {
    const HostWorld& world = WorldOf(rig_, state.hosts[host].id);
    const Standing standing = engine::StandingOf(state, host);
    std::string claimed;
    if (standing == Standing::new_version) claimed = state.hosts[host].wanted.at(kApp);
    if (standing == Standing::old_version) claimed = VersionBefore(state, host);
    const bool claims = standing == Standing::new_version || standing == Standing::old_version;
    if (claims && world.on_disk != claimed) {
      Broken("I13", absl::StrCat(state.hosts[host].id.text, " is said to have ", claimed,
                                 " and has ", world.on_disk));
    }
  }
}

// A rollback ends with every touched host as it was, or names exactly those that are not.
void Checkers::I15RollbackNamesWhoDidNotReturn(const RolloutBook& book,
                                               const engine::State& state) {
  if (!state.turned_back) return;
  for (const engine::HostIx host : book.touched) {
    const HostWorld& world = WorldOf(rig_, state.hosts[host].id);
    const bool returned = world.on_disk == VersionBefore(state, host);
    // Who breaks a rollback off leaves hosts as they are: the report tells them by standing.
    const bool broken_off = state.finished->result == engine::Result::aborted;
    const bool told = engine::StandingOf(state, host) != Standing::old_version;
    const bool named = state.out.contains(host) || (broken_off && told);
    if (returned || named) continue;
    Broken("I15", absl::StrCat(state.hosts[host].id.text, " has ", world.on_disk, " instead of ",
                               VersionBefore(state, host), " after the rollback and is not named"));
  }
  if (state.finished->result == engine::Result::rolled_back && !state.out.empty()) {
    Broken("I15", "rolled back, but hosts are out");
  }
}

void Checkers::CountFinish(const engine::State& state) {
  switch (state.finished->result) {
    case engine::Result::succeeded:
      return rig_.coverage.Hit(Rare::finished_succeeded);
    case engine::Result::rolled_back:
      return rig_.coverage.Hit(Rare::finished_rolled_back);
    case engine::Result::needs_person:
      return rig_.coverage.Hit(Rare::finished_needs_person);
    case engine::Result::aborted:
      return rig_.coverage.Hit(Rare::finished_aborted);
  }
}

void Checkers::OnFinished(const RolloutId& rollout, const engine::State& state) {
  const RolloutBook& book = rollouts_.at(rollout);
  CountFinish(state);
  I12EveryHostIsNamed(state);
  I13ClaimedVersionIsThere(book, state);
  I15RollbackNamesWhoDidNotReturn(book, state);
}

// When faults stop, the next record of a rollout is never further away than its patience, unless
// a person is waited for. `book` is as it was before the record that has come now.
void Checkers::I23SomethingHappensInTime(const RolloutId& rollout, const RolloutBook& book) {
  if (!rig_.healed || book.acknowledged.empty() || book.finished) return;
  const engine::Hold& hold = book.shadow.hold;
  using Why = engine::Hold::Why;
  const bool asks = hold.why == Why::needs_person || hold.why == Why::paused ||
                    hold.why == Why::brake ||
                    (hold.why == Why::gate && hold.until == absl::InfiniteFuture());
  if (asks) return;
  const absl::Time since = std::max(book.moved_at, rig_.stirred_at);
  const absl::Duration pause = rig_.timeline.Now() - since;
  const absl::Duration patience = PatienceOf(book.planned);
  if (pause <= patience) return;
  Broken("I23", absl::StrCat(rollout.text, ": nothing happened for ", absl::FormatDuration(pause),
                             ", allowed are ", absl::FormatDuration(patience)));
}

// When faults stop, each rollout ends or waits for a person who is told what for.
void Checkers::I23SomethingHappensOrAPersonIsAsked(const RolloutId& rollout) {
  const RolloutBook& book = rollouts_.at(rollout);
  if (book.finished) return;
  ControllerProcess* process = rig_.controllers->active();
  Driver* driver = process == nullptr ? nullptr : process->Find(rollout);
  if (driver == nullptr) return Broken("I23", absl::StrCat(rollout.text, " is driven by nobody"));
  const engine::Hold& hold = driver->state().hold;
  if (driver->IsWaitingForPerson() && !(hold.text.empty() && hold.who.empty())) {
    return rig_.coverage.Hit(Rare::waits_for_person);
  }
  Broken("I23",
         absl::StrCat(rollout.text, " neither ended nor waits for a named person; last moved ",
                      absl::FormatDuration(rig_.timeline.Now() - book.moved_at),
                      " before nothing was left to happen"));
}

void Checkers::AtTheEnd() {
  for (const auto& [rollout, book] : rollouts_) {
    I23SomethingHappensOrAPersonIsAsked(rollout);
    controller::Journal* const journal = rig_.controllers->journal();
    if (journal == nullptr) return Broken("I23", "no controller runs");
    const auto records = journal->Read(rollout, 1);
    if (!records.ok()) return Broken("I1", std::string(records.status().message()));
    OnJournalRead(rollout, *records);
  }
  for (std::size_t host = 0; host < hosts_.size(); ++host) I27OnlyCommandsChangeServices(host);
}

}  // namespace slipway::sim
