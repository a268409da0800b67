#include "tests/sim/people.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/sim/machine.h"
#include "tests/sim/random_plan.h"

namespace slipway::sim {
namespace {

using Ask = engine::Verb::Kind;
using Why = engine::Hold::Why;

// After the faults people answer for a while and then go home.
constexpr int kAnswersMax = 3;
constexpr int kLooksMax = 400;

}  // namespace

void People::LookAgain() {
  rig_.timeline.After(rig_.dice.Between(absl::Seconds(5), absl::Seconds(90)), [this] { Look(); });
}

void People::Look() {
  if (rig_.healed && (answers_after_healing_ >= kAnswersMax || ++looks_after_healing_ > kLooksMax))
    return;
  ControllerProcess* process = rig_.controllers->active();
  Driver* driver = process == nullptr ? nullptr : process->Current();
  const std::string current = absl::StrCat("ro-", begun_);
  if (begun_ == 0) {
    BeginNext();
  } else if (driver != nullptr && driver->runner().id().text == current) {
    if (driver->state().finished) {
      if (begun_ >= rollouts_) return;
      BeginNext();
    } else {
      Act(*driver);
    }
  }
  LookAgain();
}

void People::BeginNext() {
  ++begun_;
  answers_after_healing_ = 0;
  std::vector<HostId> hosts;
  std::map<engine::HostIx, Observed> before;
  const std::string release = absl::StrCat("sha256:", begun_);
  for (const auto& machine : rig_.machines) {
    before[static_cast<engine::HostIx>(hosts.size())] = machine->world().Observe();
    hosts.push_back(machine->id());
    if (rig_.dice.Chance(rig_.weather.ill)) machine->world().ill_releases.insert(release);
  }
  rig_.controllers->Begin(RolloutId{absl::StrCat("ro-", begun_)},
                          RandomPlan(rig_.dice, hosts, release, before, rig_.timeline.Now()));
}

void People::Act(Driver& driver) {
  const bool asked = driver.IsWaitingForPerson() || driver.state().hold.why == Why::gate;
  if (asked && rig_.dice.Chance(0.5)) {
    if (rig_.healed) ++answers_after_healing_;
    return Say(driver, Fitting(driver.state()));
  }
  if (rig_.Rough(rig_.weather.people)) {
    rig_.Strike(Fault::person_interfered);
    const Ask any[] = {Ask::pause,     Ask::resume,  Ask::abort,  Ask::retry, Ask::skip,
                       Ask::roll_back, Ask::approve, Ask::reject, Ask::note};
    Say(driver, any[rig_.dice.Below(9)]);
  }
}

Ask People::Fitting(const engine::State& state) {
  if (rig_.dice.Chance(0.1)) return rig_.dice.Chance(0.5) ? Ask::abort : Ask::roll_back;
  switch (state.hold.why) {
    case Why::gate:
      return rig_.dice.Chance(0.8) ? Ask::approve : Ask::reject;
    case Why::paused:
    case Why::brake:
      return Ask::resume;
    case Why::needs_person: {
      const Ask ways[] = {Ask::retry, Ask::skip, Ask::roll_back, Ask::resume, Ask::approve};
      return ways[rig_.dice.Below(5)];
    }
    case Why::none:
      break;
  }
  return Ask::resume;
}

void People::Say(Driver& driver, Ask kind) {
  engine::Verb verb;
  verb.kind = kind;
  const char* const names[] = {"ada", "ben", "eve"};
  verb.who = absl::StrCat("spiffe://example/operator/", names[rig_.dice.Below(3)]);
  verb.reason = "as seen on the host";
  verb.at_once = rig_.dice.Chance(0.2);
  verb.leave_mixed = rig_.dice.Chance(0.3);
  const bool names_hosts = kind == Ask::retry || kind == Ask::skip;
  if (names_hosts && rig_.dice.Chance(0.5)) {
    verb.hosts = {static_cast<engine::HostIx>(rig_.dice.Below(driver.state().hosts.size()))};
  }
  if (kind == Ask::approve && rig_.dice.Chance(0.3)) {
    const auto& phases = driver.state().forward.phases;
    verb.phase = phases[rig_.dice.Below(phases.size())].name;
  }
  driver.Feed(std::move(verb));
}

}  // namespace slipway::sim
