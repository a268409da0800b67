// What several actions do with a service: start and watch it, stop it, ask whether it is well.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "agent/actions/action.h"
#include "agent/actions/binding.h"
#include "agent/actions/log_gate.h"

namespace slipway::agent {

// Starts the service, waits until it is ready and puts it into traffic. Running already from that
// release: only waits.
AttemptEnd StartAndWatch(ActionContext& ctx, const BoundService& service);

// Waits, at most until its deadline, until the running service proves itself: from the right
// release, its log said what it must, its probes pass. Quotes the service's own words otherwise.
AttemptEnd WatchUntilReady(ActionContext& ctx, const BoundService& service);

// Takes out of traffic, drains and stops what runs by the name of `service`, with proof. Not
// running: only the proof.
AttemptEnd StopAndProve(ActionContext& ctx, const BoundService& service);

// OK when its probes pass now.
absl::Status ProbeOnce(const BoundService& service);

// OK when what runs is of the service's release. Else FAILED_PRECONDITION with what it is.
absl::Status ProveIdentity(const ActionContext& ctx, const BoundService& service,
                           const ServiceStatus& status);

// `problem`, with what the service said last: quoted in short, and in full in the step's output.
AttemptEnd FailedWithWords(ActionContext& ctx, const BoundService& service, std::string problem);

// The end of a check or hook that did not succeed. When a service of `app` ("" = of any) has died,
// that is the reason: waiting does not help any more, and the message has the service's words.
AttemptEnd BlameDeadService(ActionContext& ctx, const std::string& app, AttemptEnd end);

}  // namespace slipway::agent
