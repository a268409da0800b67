// Invariants of the agents and of the hosts under them.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "agent/core/core.h"
#include "common/overloaded.h"
#include "tests/sim/checkers.h"
#include "tests/sim/machine.h"

namespace slipway::sim {
namespace {

// A log that grows with history instead of with what is open has lost its compaction.
constexpr std::uint64_t kLogBytesMax = 2 << 20;
// One command runs, and a turn-back or a retry may wait for it.
constexpr std::size_t kWaitingExpectedMax = 8;

}  // namespace

void Checkers::OnAgentDurable(std::size_t host, const std::vector<agent::Record>& records) {
  for (const agent::Record& record : records) {
    hosts_[host].durable.push_back(record);
    Note(host, record);
  }
}

void Checkers::Note(std::size_t host, const agent::Record& record) {
  HostBook& book = hosts_[host];
  std::visit(Overloaded{[&](const agent::Accepted& r) {
                          book.accepted.insert(r.command.id);
                          I4EpochNeverFalls(host, r.command);
                        },
                        [&](const agent::Started& r) {
                          book.started_durably.insert(r.id);
                          I5NoStartUnderOldEpoch(host, r.id);
                        },
                        [&](const agent::Answered& r) {
                          if (r.answer.message.starts_with("the agent restarted")) {
                            rig_.coverage.Hit(Rare::unstarted_after_restart);
                          }
                          const auto [it, is_new] = book.answered.emplace(r.answer.id, r.answer);
                          if (!is_new && it->second != r.answer) {
                            Broken("I8", absl::StrCat(ToString(r.answer.id), " has two outcomes"));
                          }
                        },
                        [&](const agent::Fenced& r) {
                          Fence& highest = book.highest[r.rollout];
                          if (r.fence.epoch > highest.epoch) highest = r.fence;
                        },
                        [&](const agent::Closed& r) { book.closed.insert(r.rollout); },
                        [](const auto&) {}},
             record);
}

void Checkers::OnAgentRewrites(std::size_t host, std::vector<agent::Record> records) {
  hosts_[host].rewriting = std::move(records);
}

// A rewritten log rebuilds the same state.
void Checkers::OnAgentRewrote(std::size_t host) {
  HostBook& book = hosts_[host];
  if (!book.rewriting) return;
  agent::State before, after;
  for (const agent::Record& record : book.durable) Apply(before, record);
  for (const agent::Record& record : *book.rewriting) Apply(after, record);
  if (!(before == after)) Broken("I1", "compaction of an agent's log lost something");
  book.durable = *std::move(book.rewriting);
  book.rewriting.reset();
}

// The agent's log after recovery begins with all that was durable.
void Checkers::I1AgentPrefixDurability(std::size_t host,
                                       const std::vector<agent::Record>& records) {
  const std::vector<agent::Record>& durable = hosts_[host].durable;
  const bool holds = records.size() >= durable.size() &&
                     std::equal(durable.begin(), durable.end(), records.begin());
  if (holds) return;
  Broken("I1", absl::StrCat(rig_.machines[host]->id().text, " lost records that were durable: ",
                            durable.size(), " before, ", records.size(), " after"));
}

void Checkers::OnAgentRecovered(std::size_t host, const std::vector<agent::Record>& records) {
  HostBook& book = hosts_[host];
  if (book.rewriting == records) OnAgentRewrote(host);  // it crashed right after the rename
  book.rewriting.reset();
  I1AgentPrefixDurability(host, records);
  // A write whose process died before it knew may have become durable all the same.
  for (std::size_t i = book.durable.size(); i < records.size(); ++i) Note(host, records[i]);
  book.durable = records;
}

void Checkers::OnAgentPumped(std::size_t host, const agent::State& state, std::uint64_t log_bytes) {
  if (const std::string broken = agent::BrokenInvariant(state); !broken.empty()) {
    Broken("I20", absl::StrCat(state.host.text, ": ", broken));
  }
  I20Bounds(host, state, log_bytes);
  I27OnlyCommandsChangeServices(host);
}

// Queues and logs stay under their caps.
void Checkers::I20Bounds(std::size_t host, const agent::State& state, std::uint64_t log_bytes) {
  if (!state.waiting.empty()) rig_.coverage.Hit(Rare::later_attempt_waited);
  if (state.waiting.size() <= kWaitingExpectedMax && log_bytes <= kLogBytesMax) return;
  Broken("I20", absl::StrCat(rig_.machines[host]->id().text, ": ", state.waiting.size(),
                             " commands wait, the log has ", log_bytes, " bytes"));
}

void Checkers::OnDelivered(std::size_t host, const Command& command) {
  hosts_[host].delivered[command.id].push_back(command.fence);
}

// The epoch that an agent has accepted never falls, over all its lives; and one epoch has one
// holder. Judged by what was on the wire.
void Checkers::I4EpochNeverFalls(std::size_t host, const Command& command) {
  HostBook& book = hosts_[host];
  const std::vector<Fence>& fences = book.delivered[command.id];
  if (fences.empty()) return Broken("I4", ToString(command.id) + " was accepted and never sent");
  const auto same = std::find(fences.begin(), fences.end(), command.fence);
  const Fence& wire = same == fences.end() ? fences.back() : *same;
  Fence& highest = book.highest[command.id.rollout];
  if (wire.epoch < highest.epoch ||
      (wire.epoch == highest.epoch && wire.holder != highest.holder)) {
    Broken("I4",
           absl::StrCat(ToString(command.id), " was accepted under epoch ", wire.epoch, " of ",
                        wire.holder, " after epoch ", highest.epoch, " of ", highest.holder));
  }
  book.taken_under[command.id] = highest = wire;
}

// No action starts under an epoch lower than the highest that the agent has seen. Judged in the
// order of the agent's log, which is the order in which it saw things.
void Checkers::I5NoStartUnderOldEpoch(std::size_t host, const CommandId& id) {
  const Fence& highest = hosts_[host].highest[id.rollout];
  const Fence& taken = hosts_[host].taken_under[id];
  if (taken.epoch >= highest.epoch) return;
  Broken("I5", absl::StrCat(ToString(id), " was started under epoch ", taken.epoch,
                            ", the agent has seen ", highest.epoch));
}

// No step runs without a durable ACCEPTED and RUNNING.
void Checkers::I3AcceptedBeforeStarted(std::size_t host, const CommandId& id) {
  const HostBook& book = hosts_[host];
  if (book.accepted.contains(id) && book.started_durably.contains(id)) return;
  Broken("I3", absl::StrCat(ToString(id), " was started and is not in the agent's log"));
}

// At most one start and one effect for each (rollout, step, host, attempt).
void Checkers::I6OneEffectPerAttempt(std::size_t host, const CommandId& id) {
  const HostBook& book = hosts_[host];
  const auto starts = book.starts.find(id);
  const auto effects = book.effects.find(id);
  const bool once = (starts == book.starts.end() || starts->second <= 1) &&
                    (effects == book.effects.end() || effects->second <= 1);
  if (!once) Broken("I6", absl::StrCat(ToString(id), " was carried out twice"));
}

// One command at a time on a host, so that no attempt overlaps with the one before.
void Checkers::I7OneAtATime(std::size_t host, const CommandId& id, bool another_runs) {
  if (!another_runs) return;
  Broken("I7", absl::StrCat(ToString(id), " was started while another command runs on ",
                            rig_.machines[host]->id().text));
}

void Checkers::OnStarted(std::size_t host, const Command& command, bool another_runs) {
  rig_.Tell(ToString(command.id), " ", command.payload, " started");
  ++hosts_[host].starts[command.id];
  I3AcceptedBeforeStarted(host, command.id);
  I6OneEffectPerAttempt(host, command.id);
  I7OneAtATime(host, command.id, another_runs);
}

void Checkers::OnEffect(std::size_t host, const Command& command) {
  rig_.Tell(ToString(command.id), " ", command.payload, " took effect");
  ++hosts_[host].effects[command.id];
  I6OneEffectPerAttempt(host, command.id);
  I3IssuedBeforeSent(command);
  I11OnlyOneBatchIsDown(host, command);
  hosts_[host].pid = rig_.machines[host]->world().pid;
}

void Checkers::OnMishap(std::size_t host) {
  hosts_[host].pid = rig_.machines[host]->world().pid;
}

// While the rollout goes forward, only hosts of one batch, and those that are out, are down by
// our doing.
void Checkers::I11OnlyOneBatchIsDown(std::size_t host, const Command& command) {
  const auto work = ParsePayload(command.payload);
  const auto& rollout = rollouts_.at(command.id.rollout);
  const bool stops = work && work->kind == Kind::stop && command.direction == Direction::apply;
  if (!stops || command.id.course != Course::forward || rollout.turned_back) return;
  const auto self = rollout.Find(command.id.host);
  if (!self || rollout.dropped.contains(*self)) return;  // given up: it acts after its time
  for (std::size_t other = 0; other < hosts_.size(); ++other) {
    const auto index = rollout.Find(rig_.machines[other]->id());
    const bool down = rig_.machines[other]->world().running.empty();
    if (other == host || !index || !down || rollout.dropped.contains(*index)) continue;
    const auto stopped = hosts_[other].stopped_in.find({command.id.rollout, Course::forward});
    if (stopped == hosts_[other].stopped_in.end() || stopped->second.contains(command.id.batch))
      continue;
    if (rig_.machines[other]->world().mishaps > 0) continue;
    Broken("I11", absl::StrCat(ToString(command.id), " stops a host while ",
                               rig_.machines[other]->id().text, " of another batch is down"));
  }
  hosts_[host].stopped_in[{command.id.rollout, Course::forward}].insert(command.id.batch);
}

void Checkers::OnAcceptanceSent(std::size_t host, const CommandId& id) {
  if (hosts_[host].accepted.contains(id)) return;
  Broken("I3", absl::StrCat("acceptance of ", ToString(id), " was sent and is not durable"));
}

// No report without a durable outcome.
void Checkers::I3DurableBeforeSaid(std::size_t host, const Answer& answer) {
  if (hosts_[host].answered.contains(answer.id)) return;
  Broken("I3", absl::StrCat("the answer to ", ToString(answer.id), " was sent and is not durable"));
}

// Whatever is said about a command is always the same.
void Checkers::I8AnswerNeverChanges(std::size_t host, const Answer& answer) {
  const auto [it, is_new] = hosts_[host].said.emplace(answer.id, answer);
  if (is_new || it->second == answer) return;
  Broken("I8", absl::StrCat("the answer to ", ToString(answer.id), " changed"));
}

void Checkers::OnAnswerSent(std::size_t host, const Answer& answer) {
  rig_.Tell(ToString(answer.id), " answers ", std::string(ToString(answer.verdict)));
  I3DurableBeforeSaid(host, answer);
  I8AnswerNeverChanges(host, answer);
}

// Nothing but a command or a mishap of the host's own changes a service: losing the controller,
// the journal or the network does not.
void Checkers::I27OnlyCommandsChangeServices(std::size_t host) {
  if (rig_.machines[host]->world().pid == hosts_[host].pid) return;
  Broken("I27", absl::StrCat("the service of ", rig_.machines[host]->id().text,
                             " changed and no command did it"));
}

}  // namespace slipway::sim
