#include "agent/actions/service_steps.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/actions/traffic.h"
#include "agent/health/observe.h"
#include "agent/health/probe.h"
#include "agent/releases/host_releases.h"
#include "agent/services/exec_spec.h"
#include "agent/state/output_spool.h"
#include "common/status_macros.h"

namespace slipway::agent {
namespace {

using State = ServiceStatus::State;

constexpr absl::Duration kLookAgain = absl::Milliseconds(200);
constexpr absl::Duration kProbeTimeout = absl::Seconds(5);
constexpr int kWordsLines = 20;

std::string LastLine(const std::string& lines) {
  const std::size_t newline = lines.rfind('\n');
  return newline == std::string::npos ? lines : lines.substr(newline + 1);
}

// How a service that ended without being told to is spoken of.
std::string HowItDied(const BoundService& service, const ServiceStatus& status) {
  return absl::StrCat(NameOf(service), " ", status.ended, " after its start");
}

// `problem`, and what the service said last: quoted in short, and in full in the step's output.
std::string WithLastWords(ActionContext& ctx, const ServiceId& id, std::string problem) {
  const std::string words =
      ctx.services.LastLines(id, ctx.services.Inspect(id).log_start, kWordsLines);
  if (words.empty()) return absl::StrCat(problem, "; it logged nothing");
  ctx.output.Say(absl::StrCat("--- last lines of the log of ", id.name, " ---"));
  ctx.output.Say(words);
  const std::string last = LastLine(words);
  if (absl::StrContains(problem, last)) return problem;
  return absl::StrCat(problem, "; its last words: \"", last, "\"");
}

// What is still missing; OK when it is ready.
absl::Status Readiness(const ActionContext& ctx, const BoundService& service,
                       const ServiceStatus& status, const LogGate& gate) {
  if (!gate.matched()) {
    return absl::UnavailableError(absl::StrCat("has not logged \"", service.must_match, "\""));
  }
  if (!status.coming_up.empty()) return absl::UnavailableError(status.coming_up);
  const absl::Status identity = ProveIdentity(ctx, service, status);
  return identity.ok() ? ProbeOnce(service) : identity;
}

}  // namespace

AttemptEnd FailedWithWords(ActionContext& ctx, const BoundService& service, std::string problem) {
  return Failed(WithLastWords(ctx, service.spec.id, std::move(problem)));
}

AttemptEnd BlameDeadService(ActionContext& ctx, const std::string& app, AttemptEnd end) {
  if (end.verdict == Verdict::succeeded || ctx.direction == Direction::undo) return end;
  for (const ServiceId& id : ctx.services.Services()) {
    const ServiceStatus status = ctx.services.Inspect(id);
    if (status.state != State::died || (!app.empty() && id.app != app)) continue;
    const std::string problem =
        absl::StrCat(end.message, "; service ", id.name, " ", status.ended, " after its start");
    return Failed(WithLastWords(ctx, id, problem));
  }
  return end;
}

absl::Status ProveIdentity(const ActionContext& ctx, const BoundService& service,
                           const ServiceStatus& status) {
  SLIPWAY_RETURN_IF_ERROR(ProbeNamed(service.spec.http, service.spec.http_names, kProbeTimeout));
  const std::string running = RunningDigest(ctx.releases, service.spec.id.app, status, true);
  if (running == service.digest) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("pid ", status.pid, " runs ", status.executable,
                                                    ", which is not in ",
                                                    service.spec.release_dir));
}

absl::Status ProbeOnce(const BoundService& service) {
  return ProbeService(service.spec.http, service.spec.tcp, kProbeTimeout);
}

AttemptEnd WatchUntilReady(ActionContext& ctx, const BoundService& service) {
  const ServiceId& id = service.spec.id;
  const absl::Duration began = ctx.clock.Monotonic();
  const absl::Duration until = std::min(began + service.deadline, ctx.deadline);
  const ServiceStatus first = ctx.services.Inspect(id);
  LogGate gate(ctx.services, id, first.log_start, service.must_match, service.must_not_match);
  while (true) {
    const ServiceStatus status = ctx.services.Inspect(id);
    gate.Look();  // after the status: of one that died all words are there
    if (!gate.offence().empty()) {
      return FailedWithWords(ctx, service,
                             absl::StrCat(NameOf(service), " logged \"", gate.offence(), "\""));
    }
    if (status.state == State::died) {
      return FailedWithWords(ctx, service, HowItDied(service, status));
    }
    if (status.state == State::running && status.restarts > first.restarts) {
      return FailedWithWords(
          ctx, service, absl::StrCat(NameOf(service), " died after its start and was restarted"));
    }
    if (status.state == State::stopped || status.pid != first.pid) {
      return FailedWithWords(ctx, service,
                             absl::StrCat(NameOf(service), " was stopped by somebody else"));
    }
    const absl::Status missing = Readiness(ctx, service, status, gate);
    const absl::Duration took = ctx.clock.Monotonic() - began;
    if (missing.ok()) {
      return Succeeded(
          absl::StrCat(NameOf(service), " is ready after ",
                       absl::FormatDuration(absl::Trunc(took, absl::Milliseconds(1)))));
    }
    if (ctx.cancelled()) return Failed("cancelled, since the rollout turns back");
    if (ctx.stopping()) return Failed("the agent stops");
    if (ctx.clock.Monotonic() >= until) {
      return FailedWithWords(
          ctx, service,
          absl::StrCat(NameOf(service), " is not ready within ",
                       absl::FormatDuration(until - began), ": ", missing.message()));
    }
    ctx.clock.Sleep(std::min(kLookAgain, until - ctx.clock.Monotonic()));
  }
}

AttemptEnd StartAndWatch(ActionContext& ctx, const BoundService& service) {
  ctx.progress(absl::StrCat("start ", NameOf(service)), 0, 0);
  const absl::Status started = ctx.services.Start(service.spec);
  if (!started.ok()) return FromStatus(started);
  ctx.progress(absl::StrCat("wait until ", NameOf(service), " is ready"), 0, 0);
  AttemptEnd end = WatchUntilReady(ctx, service);
  if (end.verdict != Verdict::succeeded) return end;
  const absl::Status put = PutIntoTraffic(service);
  return put.ok() ? end : FromStatus(put);
}

AttemptEnd StopAndProve(ActionContext& ctx, const BoundService& service) {
  const absl::Status out = TakeOutOfTraffic(ctx, service);
  if (!out.ok()) return FromStatus(out);
  ctx.progress(absl::StrCat("stop ", NameOf(service)), 0, 0);
  const auto report = ctx.services.Stop(service.spec.id, {.drain = service.drain,
                                                          .ladder = service.ladder,
                                                          .ports = service.spec.ports,
                                                          .unit = service.spec.unit,
                                                          .deadline = ctx.deadline});
  if (!report.ok()) return FromStatus(report.status());
  if (!report->was_running) return Succeeded(absl::StrCat(service.spec.id.name, " does not run"));
  std::string text = absl::StrCat(NameOf(service), " stopped");
  if (report->signal != 0) absl::StrAppend(&text, " by ", SignalName(report->signal));
  absl::StrAppend(&text, " in ",
                  absl::FormatDuration(absl::Trunc(report->took, absl::Milliseconds(1))));
  if (report->connections_left > 0) {
    absl::StrAppend(&text, ", with ", report->connections_left, " connections still open after ",
                    absl::FormatDuration(absl::Trunc(report->drained_for, absl::Milliseconds(1))));
  }
  return Succeeded(std::move(text));
}

}  // namespace slipway::agent
