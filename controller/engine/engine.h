// The engine: pure functions over a rollout's state. No clock, no I/O, no thread, no chance.
//
// The caller drains inputs in batches: for each input Decide, and when the batch's events are
// durable, and only then, whatever Outstanding() asks for may leave the process. When the append
// is refused, the caller drops State and replays later.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "controller/engine/event.h"
#include "controller/engine/input.h"
#include "controller/engine/state.h"

namespace slipway::engine {

// Decides what `input` means: each event is applied to `state` as it is decided, since the next
// decision depends on it, and appended to `events`. Same state, presence and input: same events.
// A duplicate or late input yields no event. O(what changed), not O(fleet).
//
// A verb that makes no sense now (resume what runs, retry what is closed) is refused with
// FAILED_PRECONDITION and the reason; it changes nothing. Every other input returns OK.
absl::Status Decide(State& state, Presence& presence, const Input& input,
                    std::vector<Event>& events);

// The only writer of State. Cannot fail: a journaled event is a fact.
void Apply(State& state, const Event& event);

// What should be running on hosts now.
const std::set<TaskId>& Outstanding(const State& state);

// When a Tick is due at the latest; nullopt: nothing is timed.
std::optional<Time> NextWake(const State& state, const Presence& presence);

// Empty: all holds. Otherwise the first broken invariant, in words. Full check: O(state), for
// tests and the simulator.
std::string BrokenInvariant(const State& state);
// The same for what `event` touched: O(changed), after each Apply in production.
std::string BrokenInvariant(const State& state, const Event& event);

// The step behind a task.
const Step& StepOf(const State& state, const TaskId& task);

// The gate that is waited at, also while something else holds the rollout; nullptr: none.
const Gate* WaitingGate(const State& state);
// Different people whose yes to the gate before this forward batch counts at `now`.
std::vector<std::string> ApprovedBy(const State& state, std::uint16_t batch, Time now);

// How many people may say yes to an approval gate, without who started the rollout.
std::size_t ApproversOf(const Gate& gate, const std::string& started_by);

// "" (none), "paused", "gate", "brake", "needs_person": as the contract has it.
std::string_view Word(Hold::Why why);

// Where a host stands at the end; each host is in exactly one class.
enum class Standing { new_version, old_version, stopped, unreachable, unproven, untouched };
Standing StandingOf(const State& state, HostIx host);
// "new", "old", "stopped", …: as the contract has it.
std::string_view Word(Standing standing);

// Readable, stable text: scenarios, logs and people see the same words.
std::string Describe(const State& state, const Event& event);
std::string Describe(const State& state, const TaskId& task);

}  // namespace slipway::engine
