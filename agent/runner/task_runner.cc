#include "agent/runner/task_runner.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/overloaded.h"
#include "common/status_macros.h"

namespace slipway::agent {
namespace {

using Need = CommandLog::Need;

// A log is worth rewriting when it is mostly history.
constexpr std::uint64_t kCompactAboveBytes = 256 * 1024;
constexpr std::uint64_t kCompactAboveRatio = 4;

absl::StatusOr<State> Rebuild(const HostId& host, CommandLog& log) {
  SLIPWAY_ASSIGN_OR_RETURN(const std::vector<Record> records, log.Replay());
  State state;
  state.host = host;
  for (const Record& record : records) Apply(state, record);
  return state;
}

// New work may be turned away; everything else is a fact that must not be lost.
Need NeedOf(const Input& input) {
  return std::holds_alternative<Received>(input) ? Need::wish : Need::must;
}

Refusal NoSpace(const CommandId& id) {
  return {id, Refusal::Why::no_space,
          absl::StrCat(ToString(id), ": the agent's disk is full; free space on ", id.host.text)};
}

bool SomeRolloutClosed(const std::vector<Record>& records) {
  for (const Record& record : records) {
    if (std::holds_alternative<Closed>(record)) return true;
  }
  return false;
}

}  // namespace

TaskRunner::TaskRunner(CommandLog& log, Sender& sender, Executor& executor)
    : log_(log), sender_(sender), executor_(executor) {}

absl::StatusOr<std::unique_ptr<TaskRunner>> TaskRunner::Open(HostId host, std::string boot_id,
                                                             CommandLog& log, Sender& sender,
                                                             Executor& executor) {
  std::unique_ptr<TaskRunner> runner(new TaskRunner(log, sender, executor));
  SLIPWAY_ASSIGN_OR_RETURN(runner->state_, Rebuild(host, log));
  SLIPWAY_RETURN_IF_ERROR(runner->Pump({Restarted{std::move(boot_id)}}));
  if (const ProbeRequest probe = ToProbe(runner->state_); probe.command != nullptr) {
    executor.Probe(*probe.command, probe.rebooted);
  }
  return runner;
}

absl::Status TaskRunner::Pump(const std::vector<Input>& inputs) {
  std::vector<Record> records;
  std::vector<Reply> replies;
  Need need = Need::wish;
  for (const Input& input : inputs) {
    Decide(state_, input, records, replies);
    if (NeedOf(input) == Need::must) need = Need::must;
  }
  const bool mixed = need == Need::must && inputs.size() > 1;
  const absl::Status appended = log_.Append(records, mixed ? Need::wish : need);
  if (absl::IsResourceExhausted(appended)) return PumpOneByOne(inputs);
  SLIPWAY_RETURN_IF_ERROR(appended);
  Dispatch(records, replies);
  return Compact(records);
}

// On a full disk each input stands alone, so that an answer is recorded although the command
// beside it has to be refused.
absl::Status TaskRunner::PumpOneByOne(const std::vector<Input>& inputs) {
  for (const Input& input : inputs) {
    SLIPWAY_ASSIGN_OR_RETURN(state_, Rebuild(state_.host, log_));
    std::vector<Record> records;
    std::vector<Reply> replies;
    Decide(state_, input, records, replies);
    const absl::Status appended = log_.Append(records, NeedOf(input));
    if (appended.ok()) {
      Dispatch(records, replies);
      continue;
    }
    const auto* received = std::get_if<Received>(&input);
    if (received == nullptr || !absl::IsResourceExhausted(appended)) return appended;
    SLIPWAY_ASSIGN_OR_RETURN(state_, Rebuild(state_.host, log_));
    sender_.Refused(NoSpace(received->command.id));
  }
  return absl::OkStatus();
}

void TaskRunner::Dispatch(const std::vector<Record>& records, const std::vector<Reply>& replies) {
  for (const Reply& reply : replies) {
    std::visit(Overloaded{[&](const Acceptance& r) { sender_.Accepted(r); },
                          [&](const Answer& r) { sender_.Answered(r); },
                          [&](const Refusal& r) { sender_.Refused(r); }},
               reply);
  }
  for (const Record& record : records) {
    const auto* started = std::get_if<Started>(&record);
    // Started and ended within one batch cannot be: its end comes from what is begun here.
    if (started != nullptr) executor_.Start(state_.entries.at(started->id).command);
  }
  if (const auto late = ToCancel(state_)) executor_.Cancel(*late);
}

absl::Status TaskRunner::Compact(const std::vector<Record>& records) {
  if (!SomeRolloutClosed(records) || log_.size() < kCompactAboveBytes) return absl::OkStatus();
  const std::vector<Record> condensed = Condense(state_);
  if (log_.count() < kCompactAboveRatio * condensed.size()) return absl::OkStatus();
  const absl::Status rewritten = log_.Rewrite(condensed);
  // No space for the short form: the long one goes on.
  return absl::IsResourceExhausted(rewritten) ? absl::OkStatus() : rewritten;
}

void TaskRunner::Connected() {
  for (const Answer* answer : Outbox(state_)) sender_.Answered(*answer);
}

}  // namespace slipway::agent
