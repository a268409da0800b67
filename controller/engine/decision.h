// One Decide in progress, and what the files of the decide side ask of each other.
// Private to the engine.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "controller/engine/engine.h"

namespace slipway::engine {

struct Decision {
  State& state;
  Presence& presence;
  Time now;  // never before the last event
  std::vector<Event>& events;

  // Applies at once: the next decision depends on it.
  void Emit(Event event);

  bool IsAttached(HostIx host) const { return presence.attached.count(host) > 0; }
  const std::string& NameOf(HostIx host) const { return state.hosts[host].id.text; }
};

// decide_report.cc, decide_tick.cc, decide_verb.cc: one for each kind of input.
void DecideReported(Decision& d, const Reported& in);
void DecideSighted(Decision& d, const Sighted& in);
void DecideTripped(Decision& d, const Tripped& in);
void DecideAttached(Decision& d, const Attached& in);
void DecideLost(Decision& d, const Lost& in);
void DecideTick(Decision& d);
absl::Status DecideVerb(Decision& d, const Verb& in);

// advance.cc: what follows from the state as it is now.

// Issues the host's next step if its turn has come. O(log n).
void Advance(Decision& d, HostIx host);
// The same for every host of the batch.
void AdvanceAll(Decision& d);
// Leaves what is done: releases holds that nothing justifies any more, turns back, waits at a
// gate, enters the next batch, finishes. Called once after every input.
void Settle(Decision& d);

// failure_policy.cc

// Pause before attempt `attempt + 1`.
Duration Backoff(int attempt);
// Ends an attempt without success: another one, or the final outcome and what follows from it.
void EndFailedAttempt(Decision& d, const TaskId& id, Outcome outcome, absl::string_view message,
                      absl::string_view excerpt);
// Ends a task for good and lets the consequences happen. `attempt` 0: it was never issued.
void EndTask(Decision& d, const TaskId& id, int attempt, Outcome outcome, absl::string_view message,
             absl::string_view excerpt);
// A host has failed for good while the rollout goes forward: undo it alone, turn the fleet back
// or call a person. `verifies`: a check or a trigger failed, not an action.
void AfterFailure(Decision& d, HostIx host, bool verifies, absl::string_view reason);
// Calls a person, unless one is called already.
void CallPerson(Decision& d, std::string text);

}  // namespace slipway::engine
