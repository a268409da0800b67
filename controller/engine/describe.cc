// Readable, stable text of events and tasks.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/overloaded.h"
#include "controller/engine/engine.h"
#include "controller/engine/lane.h"

namespace slipway::engine {
namespace {

constexpr std::size_t kNamesMax = 8;

std::string NameOf(const State& state, HostIx host) {
  return host < state.hosts.size() ? state.hosts[host].id.text : absl::StrCat("host ", host);
}

std::string Hosts(const State& state, const Batch& batch) {
  std::string names;
  for (std::size_t i = 0; i < batch.hosts.size() && i < kNamesMax; ++i) {
    absl::StrAppend(&names, i == 0 ? "" : " ", NameOf(state, batch.hosts[i].host));
  }
  if (batch.hosts.size() > kNamesMax) {
    absl::StrAppend(&names, " and ", batch.hosts.size() - kNamesMax, " more");
  }
  return names;
}

absl::string_view Word(Result result) {
  switch (result) {
    case Result::succeeded:
      return "succeeded";
    case Result::rolled_back:
      return "rolled back";
    case Result::needs_person:
      return "needs a person";
    case Result::aborted:
      return "aborted";
  }
  return "";
}

std::string By(absl::string_view who) {
  return who.empty() ? "" : absl::StrCat(" by ", who);
}
std::string Because(absl::string_view text) {
  return text.empty() ? "" : absl::StrCat(": ", text);
}
std::string In(Time at, Time now) {
  return absl::FormatDuration(at - now);
}

std::string Ended(const State& state, const TaskEnded& e) {
  std::string text = absl::StrCat(Describe(state, e.task), ": ");
  if (e.again_at) {
    absl::StrAppend(&text, e.counted ? std::string(ToString(e.outcome)) : "no effect yet",
                    ", again in ", In(*e.again_at, e.at));
  } else {
    absl::StrAppend(&text, std::string(ToString(e.outcome)));
    if (!e.counted) absl::StrAppend(&text, ", tolerated");
  }
  return absl::StrCat(text, Because(e.message));
}

std::string Resolved(const State& state, const TaskResolved& e) {
  std::string what = "to be tried again";
  if (e.skipped) {
    what = "skipped";
  } else if (e.outcome) {
    what = std::string(ToString(*e.outcome));
  }
  return absl::StrCat(Describe(state, e.task), " resolved", By(e.by), ", ", what,
                      e.goes_on ? "" : ", chain ends", Because(e.text));
}

std::string HeldText(const Held& e) {
  if (e.hold.why == Hold::Why::gate && !e.hold.who.empty()) {
    const bool limited = e.hold.until != absl::InfiniteFuture();
    return absl::StrCat("waits for approval by ", e.hold.who,
                        limited ? absl::StrCat(", for ", In(e.hold.until, e.at)) : "",
                        Because(e.hold.text));
  }
  const bool person = e.hold.why == Hold::Why::needs_person;
  std::string text =
      absl::StrCat("held, ", person ? "needs a person" : std::string(Word(e.hold.why)));
  if (!e.hold.who.empty()) absl::StrAppend(&text, " by ", e.hold.who);
  if (e.hold.at_once) absl::StrAppend(&text, ", at once");
  if (e.hold.until != absl::InfiniteFuture()) {
    absl::StrAppend(&text, ", for ", In(e.hold.until, e.at));
  }
  return absl::StrCat(text, Because(e.hold.text));
}

std::string Answered(const State& state, const GateAnswered& e) {
  const Batch& batch = state.forward.batches[e.batch];
  return absl::StrCat(state.forward.phases[batch.phase].name,
                      e.approves ? " approved" : " rejected", By(e.who),
                      e.role.empty() ? "" : absl::StrCat(" as ", e.role), Because(e.note));
}

std::string StoppingText(const Stopping& e) {
  const bool back = e.then == Stopping::Then::roll_back;
  return absl::StrCat(e.at_once ? "stopping at once, then " : "stopping, then ",
                      back ? "rolling back" : "aborting", e.automatic ? " by itself" : By(e.who),
                      Because(e.reason));
}

std::string Entered(const State& state, const BatchEntered& e) {
  const Schedule& schedule = e.course == Course::backward ? state.backward : state.forward;
  const Batch& batch = schedule.batches[e.batch];
  return absl::StrCat(e.course == Course::backward ? "back " : "", "batch ", e.batch + 1, " of ",
                      schedule.batches.size(), " entered, ", schedule.phases[batch.phase].name,
                      ": ", Hosts(state, batch));
}

std::string Seen(const State& state, const HostSeen& e) {
  std::string text = absl::StrCat(NameOf(state, e.host), " seen");
  for (const auto& [app, version] : e.observed) {
    absl::StrAppend(&text, " ", app, "=", version.on_disk.empty() ? "absent" : version.on_disk, "/",
                    version.running.empty() ? "nothing" : version.running,
                    version.healthy ? "" : " unhealthy");
  }
  return text;
}

}  // namespace

std::string Describe(const State& state, const TaskId& task) {
  const Step& step = StepOf(state, task);
  absl::string_view prefix;
  switch (step.direction) {
    case Direction::apply:
      break;
    case Direction::undo:
      prefix = "undo ";
      break;
    case Direction::previous:
      prefix = "old ";
      break;
  }
  return absl::StrCat(NameOf(state, task.host), " ", prefix, step.name);
}

std::string Describe(const State& state, const Event& event) {
  return std::visit(
      Overloaded{
          [&](const Planned& e) {
            return absl::StrCat("planned: ", e.hosts.size(), " hosts, ", e.forward.batches.size(),
                                " batches");
          },
          [&](const BatchEntered& e) { return Entered(state, e); },
          [&](const TaskIssued& e) {
            return absl::StrCat(Describe(state, e.task), ": issued, attempt ", e.attempt);
          },
          [&](const TaskEnded& e) { return Ended(state, e); },
          [&](const TaskResolved& e) { return Resolved(state, e); },
          [&](const HostTripped& e) {
            return absl::StrCat(NameOf(state, e.host), " failed after all", Because(e.reason));
          },
          [&](const HostTurnedBack& e) {
            return absl::StrCat(NameOf(state, e.host), " is undone on its own");
          },
          [&](const GateAnswered& e) { return Answered(state, e); },
          [&](const Noted& e) { return absl::StrCat("noted", By(e.who), Because(e.text)); },
          [&](const GatePassed& e) {
            return absl::StrCat("gate passed", By(e.by), Because(e.note));
          },
          [&](const Held& e) { return HeldText(e); },
          [&](const Released& e) { return absl::StrCat("released", By(e.who), Because(e.text)); },
          [&](const Stopping& e) { return StoppingText(e); },
          [&](const TurnedBack& e) {
            return absl::StrCat("turned back", e.automatic ? " by itself" : By(e.who), ", ",
                                e.backward.batches.size(), " batches", Because(e.reason));
          },
          [&](const HostSeen& e) { return Seen(state, e); },
          [&](const Finished& e) { return absl::StrCat(Word(e.result), Because(e.text)); },
      },
      event);
}

}  // namespace slipway::engine
