// Judges from outside. Each invariant is one function that says what it demands.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/core/state.h"
#include "controller/engine/state.h"
#include "controller/journal/journal.h"
#include "tests/sim/books.h"
#include "tests/sim/rig.h"

namespace slipway::sim {

struct Violation {
  std::string invariant;  // "I6"
  std::string text;
};

class Checkers {
 public:
  Checkers(Rig& rig, std::size_t hosts) : rig_(rig), hosts_(hosts) {}

  // Taps on the controller.
  void OnAppended(const RolloutId& rollout, std::uint64_t first, std::uint64_t epoch,
                  const std::string& holder, const std::vector<std::string>& records);
  void OnJournalRead(const RolloutId& rollout, const std::vector<controller::Record>& records);
  void OnListed(const std::vector<RolloutId>& rollouts);
  void OnPumped(const RolloutId& rollout, std::uint64_t next, const engine::State& live);
  void OnReplayed(const RolloutId& rollout, const engine::State& live,
                  const engine::State& replayed);
  void OnSent(const Command& command);
  void OnFinished(const RolloutId& rollout, const engine::State& state);

  // Taps on the agents.
  void OnAgentDurable(std::size_t host, const std::vector<agent::Record>& records);
  void OnAgentRewrites(std::size_t host, std::vector<agent::Record> records);
  void OnAgentRewrote(std::size_t host);
  void OnAgentRecovered(std::size_t host, const std::vector<agent::Record>& records);
  void OnAgentPumped(std::size_t host, const agent::State& state, std::uint64_t log_bytes);
  void OnDelivered(std::size_t host, const Command& command);
  void OnAcceptanceSent(std::size_t host, const CommandId& id);
  void OnAnswerSent(std::size_t host, const Answer& answer);

  // Taps on the hosts.
  void OnStarted(std::size_t host, const Command& command, bool another_runs);
  void OnEffect(std::size_t host, const Command& command);
  void OnMishap(std::size_t host);

  // What the newest rollout is doing, by its journal.
  Moment Now() const;

  // At the very end, when nothing is left to happen.
  void AtTheEnd();

  void Broken(const char* invariant, std::string text);
  const std::optional<Violation>& violation() const { return violation_; }

 private:
  // The invariants (checkers_*.cc).
  void I1EveryRolloutIsThere(const std::vector<RolloutId>& rollouts);
  void I1PrefixDurability(const RolloutId& rollout, const std::vector<controller::Record>& records);
  void I1AgentPrefixDurability(std::size_t host, const std::vector<agent::Record>& records);
  void I2Chain(const RolloutId& rollout, const std::vector<controller::Record>& records);
  void I3IssuedBeforeSent(const Command& command);
  void I3AcceptedBeforeStarted(std::size_t host, const CommandId& id);
  void I3DurableBeforeSaid(std::size_t host, const Answer& answer);
  void I4EpochNeverFalls(std::size_t host, const Command& command);
  void I5OneHolderPerEpoch(RolloutBook& book, const RolloutId& rollout, std::uint64_t epoch,
                           const std::string& holder);
  void I5NoStartUnderOldEpoch(std::size_t host, const CommandId& id);
  void I6OneEffectPerAttempt(std::size_t host, const CommandId& id);
  void I7NextAttemptOnlyAfterProof(const RolloutId& rollout, const RolloutBook& book,
                                   const engine::TaskIssued& event);
  void I7OneAtATime(std::size_t host, const CommandId& id, bool another_runs);
  void I8OutcomeNeverChanges(const RolloutBook& book, const engine::TaskEnded& event);
  void I8SettledOnlyIfOpenToIt(const RolloutBook& book, const engine::TaskResolved& event);
  void I8AnswerNeverChanges(std::size_t host, const Answer& answer);
  void I9ReplayEqualsLive(const engine::State& live, const engine::State& replayed);
  void I10BatchesWaitForEachOther(const RolloutBook& book, const engine::BatchEntered& event);
  void I10OnlyTheEnteredBatchRuns(const RolloutBook& book, const engine::TaskIssued& event);
  void I11OnlyOneBatchIsDown(std::size_t host, const Command& command);
  void I12EveryHostIsNamed(const engine::State& state);
  void I13ClaimedVersionIsThere(const RolloutBook& book, const engine::State& state);
  void I15RollbackNamesWhoDidNotReturn(const RolloutBook& book, const engine::State& state);
  void I20Bounds(std::size_t host, const agent::State& state, std::uint64_t log_bytes);
  void I23SomethingHappensInTime(const RolloutId& rollout, const RolloutBook& book);
  void I23SomethingHappensOrAPersonIsAsked(const RolloutId& rollout);
  void I27OnlyCommandsChangeServices(std::size_t host);

  void Note(const RolloutId& rollout, RolloutBook& book, const engine::Event& event);
  void NoteIssued(const RolloutId& rollout, RolloutBook& book, const engine::TaskIssued& e);
  void NoteEnded(RolloutBook& book, const engine::TaskEnded& e);
  void NoteResolved(RolloutBook& book, const engine::TaskResolved& e);
  void Note(std::size_t host, const agent::Record& record);
  void CountFinish(const engine::State& state);
  const TaskBook* FindTask(const CommandId& id) const;
  const Answer* AnswerOf(const RolloutId& rollout, const engine::TaskId& task, int attempt) const;

  Rig& rig_;
  std::vector<HostBook> hosts_;
  std::map<RolloutId, RolloutBook> rollouts_;
  std::optional<Violation> violation_;
};

}  // namespace slipway::sim
