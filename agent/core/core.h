// The agent's core: pure functions over the state of its commands. No clock, no I/O, no thread.
//
// The caller drains inputs in batches: for each input Decide, and when the batch's records are
// durable, and only then, replies leave the process and what ToRun, ToProbe and ToCancel ask for
// is done. When the append is refused, the caller drops State and replays.
//
// What holds, whatever crashes, repeats or comes late:
// * a command id is started at most once; after a restart it is probed, never run again;
// * one command runs at a time, in the order of acceptance;
// * an answer never changes, and is repeated until the controller acknowledged it;
// * nothing starts under an epoch lower than the highest seen, or that a later command overtook.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/core/input.h"
#include "agent/core/record.h"
#include "agent/core/reply.h"
#include "agent/core/state.h"

namespace slipway::agent {

// Decides what `input` means: each record is applied to `state` as it is decided and appended to
// `records`; what the controller is to be told goes to `replies`. A duplicate yields no record
// and, where there is something to say, the same reply as the first time.
void Decide(State& state, const Input& input, std::vector<Record>& records,
            std::vector<Reply>& replies);

// The only writer of State. Cannot fail: a logged record is a fact.
void Apply(State& state, const Record& record);

// The command that is to be running now, in this process.
const Command* ToRun(const State& state);

// The command that was started before a restart and of which nothing is known yet. Nothing else
// starts until its probe has answered.
struct ProbeRequest {
  const Command* command = nullptr;  // nullptr: nothing to probe
  bool rebooted = false;             // the machine booted since: no process of it can live
};
ProbeRequest ToProbe(const State& state);

// The running forward command that a command of the way back waits for: it should end early.
std::optional<CommandId> ToCancel(const State& state);

// Answers that the controller has not acknowledged, in the order in which they came about.
std::vector<const Answer*> Outbox(const State& state);

// What a hello carries for each open rollout, so that a controller whose journal went back in
// time is found out.
struct Witness {
  RolloutId rollout;
  Fence fence;
  bool operator==(const Witness&) const = default;
};
std::vector<Witness> Witnesses(const State& state);

// The shortest records that rebuild `state` (its host apart): what a compacted log holds.
std::vector<Record> Condense(const State& state);

// Empty: all holds. Otherwise the first broken invariant, in words.
std::string BrokenInvariant(const State& state);

}  // namespace slipway::agent
