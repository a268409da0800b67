#include "controller/engine/random_rollout.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "controller/engine/lane.h"

namespace slipway::engine {
namespace {

constexpr int kHostsMax = 7;

Step RandomStep(Dice& dice, int number) {
  Step step;
  step.name = absl::StrCat("step-", number);
  step.action = step.name;
  Traits& traits = step.traits;
  const int undo = dice.Below(20);
  traits.undo = undo < 12 ? Undo::built_in : undo < 19 ? Undo::not_needed : Undo::impossible;
  traits.sweep = static_cast<Sweep>(dice.Below(4));
  traits.disruptive = dice.Chance(50);
  traits.probe_decides = dice.Chance(75);
  traits.verifies = dice.Chance(25);
  traits.on_rollback = dice.Chance(20);
  traits.retries = dice.Below(3);
  traits.timeout = absl::Seconds(10 + dice.Below(50));
  traits.deadline = absl::Seconds(10 + dice.Below(50));
  traits.unreachable = static_cast<Unreachable>(dice.Below(3));
  return step;
}

constexpr int kPeople = 4;

std::string Person(int number) {
  return absl::StrCat("slipway://x/operator/person-", number);
}

std::string AnyPerson(Dice& dice) {
  return Person(dice.Below(kPeople));
}

Gate RandomGate(Dice& dice) {
  Gate gate;
  if (dice.Chance(70)) return gate;
  gate.kind = static_cast<Gate::Kind>(1 + dice.Below(4));
  gate.text = "may it?";
  gate.within = absl::Seconds(dice.Below(100));
  gate.on_timeout = static_cast<Gate::OnTimeout>(dice.Below(3));
  if (gate.kind != Gate::Kind::approval || dice.Chance(30)) return gate;
  // Three of four have the role, so that two are left when one of them began the rollout.
  gate.role = "dba";
  const int without = dice.Below(kPeople);
  for (int i = 0; i < kPeople; ++i) {
    if (i != without) gate.people.push_back(absl::StrCat("person-", i));
  }
  gate.approvals = 1 + dice.Below(2);
  return gate;
}

std::vector<HostIx> RandomHosts(Dice& dice, int hosts, int percent) {
  std::vector<HostIx> chosen;
  for (int i = 0; i < hosts; ++i) {
    if (dice.Chance(percent)) chosen.push_back(static_cast<HostIx>(i));
  }
  return chosen;
}

}  // namespace

std::uint64_t Dice::Next() {
  state_ += 0x9E3779B97F4A7C15ULL;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

Plan RandomPlan(Dice& dice, int hosts) {
  Plan plan;
  int steps = 0;
  const int phases = 1 + dice.Below(3);
  for (int p = 0; p < phases; ++p) {
    plan.phases.push_back({absl::StrCat("phase-", p), dice.Below(3), absl::ZeroDuration()});
    const int parts = 1 + dice.Below(2);
    for (int i = 0; i < parts; ++i) {
      Part part;
      part.phase = static_cast<std::uint16_t>(p);
      part.hosts = RandomHosts(dice, hosts, 80);
      for (int k = 1 + dice.Below(4); k > 0; --k) part.steps.push_back(RandomStep(dice, ++steps));
      part.before = RandomGate(dice);
      if (dice.Chance(50)) part.strategy.canary = {1, 0};
      if (dice.Chance(50)) part.strategy.ramp = {{0, 25}, {2, 0}};
      if (dice.Chance(30)) part.strategy.bake = RandomStep(dice, ++steps);
      plan.parts.push_back(std::move(part));
    }
  }
  return plan;
}

RollbackPolicy RandomRollback(Dice& dice, int hosts) {
  RollbackPolicy policy;
  policy.database = static_cast<DatabaseWay>(dice.Below(3));
  if (dice.Chance(50)) policy.ramp = {{0, 50}};
  policy.within = absl::Seconds(10 + dice.Below(1000));
  policy.triggers.step_failed = dice.Chance(80);
  policy.triggers.check_failed = dice.Chance(80);
  if (dice.Chance(50)) {
    policy.users = RandomHosts(dice, hosts, 50);
    policy.quiesce = {RandomStep(dice, 1000)};
    policy.resume = {RandomStep(dice, 1001)};
  }
  return policy;
}

Planned RandomRollout(std::uint64_t seed) {
  Dice dice(seed);
  Planned planned;
  planned.at = absl::UnixEpoch();
  const int hosts = 1 + dice.Below(kHostsMax);
  for (int i = 0; i < hosts; ++i) {
    planned.hosts.push_back({HostId{absl::StrCat("host-", i)}, "", {{"/srv/app", "v2"}}});
    planned.before[static_cast<HostIx>(i)] = {{"/srv/app", Version{"v1", "v1", "1", true}}};
  }
  planned.forward = Forward(RandomPlan(dice, hosts), dice.Next());
  planned.rollback = RandomRollback(dice, hosts);
  if (dice.Chance(60)) planned.started_by = AnyPerson(dice);
  return planned;
}

RandomWorld::RandomWorld(std::uint64_t seed, bool benign)
    : seed_(seed), benign_(benign), dice_(seed ^ 0x5EED) {
  const Planned planned = RandomRollout(seed);
  history_.push_back(planned);
  Apply(state_, planned);
  Apply(shadow_, planned);
}

// The same attempt always answers the same: agents record an outcome once.
Reported RandomWorld::AnswerTo(const TaskId& id) const {
  const int attempt = state_.tasks.at(id).attempt;
  Reported reported{now_, id, attempt, Verdict::succeeded, "", "", {}};
  Dice dice(seed_ + id.host * 7919 + id.batch * 104729u + id.step * 1299709u +
            static_cast<std::uint64_t>(id.course) * 15485863u +
            static_cast<unsigned>(attempt) * 32452843u);
  if (!benign_ && dice.Chance(25)) {
    reported.verdict = static_cast<Verdict>(dice.Below(6));
    reported.message = "as the dice fell";
  }
  reported.observed["/srv/app"] = Version{"v2", "v2", "", dice.Chance(90)};
  return reported;
}

Input RandomWorld::RandomReport() {
  // Answers wait on their way, overtake each other, and come again when they are old.
  for (const TaskId& id : state_.open) {
    if (dice_.Chance(40)) withheld_.push_back(AnswerTo(id));
  }
  if (!delivered_.empty() && dice_.Chance(20)) {
    Reported again =
        delivered_[static_cast<std::size_t>(dice_.Below(static_cast<int>(delivered_.size())))];
    again.now = now_;
    return again;
  }
  if (withheld_.empty()) return Tick{now_};
  const auto at = withheld_.begin() + dice_.Below(static_cast<int>(withheld_.size()));
  Reported reported = *at;
  withheld_.erase(at);
  reported.now = now_;
  return reported;
}

Input RandomWorld::RandomVerb() {
  Verb verb;
  verb.now = now_;
  verb.kind = static_cast<Verb::Kind>(dice_.Below(9));
  const bool final = verb.kind == Verb::Kind::abort || verb.kind == Verb::Kind::roll_back;
  if (final && dice_.Chance(80)) verb.kind = Verb::Kind::resume;
  verb.who = AnyPerson(dice_);
  verb.reason = "as the dice fell";
  if (dice_.Chance(50)) verb.hosts = {AnyHost()};
  verb.at_once = dice_.Chance(20);
  verb.leave_mixed = dice_.Chance(50);
  if (dice_.Chance(50)) verb.phase = absl::StrCat("phase-", dice_.Below(3));
  return verb;
}

Input RandomWorld::NextInput() {
  now_ += absl::Milliseconds(dice_.Below(500));
  if (benign_) {
    const HostIx host = AnyHost();
    if (presence_.attached.count(host) == 0) return Attached{now_, host};
    return RandomReport();
  }
  const int kind = dice_.Below(100);
  if (kind < 50) return RandomReport();
  if (kind < 68) return Attached{now_, AnyHost()};
  if (kind < 75) return Lost{now_, AnyHost()};
  if (kind < 82) return RandomVerb();
  if (kind < 84) return Tripped{now_, AnyHost(), "5xx"};
  if (kind < 87) return Sighted{now_, AnyHost(), {{"/srv/app", Version{"v1", "", "", false}}}};
  if (kind < 90) now_ += absl::Seconds(dice_.Below(90));
  const auto wake = NextWake(state_, presence_);
  if (wake && dice_.Chance(50)) now_ = std::max(now_, *wake);
  return Tick{now_};
}

void RandomWorld::Feed(const Input& input) {
  if (const auto* reported = std::get_if<Reported>(&input)) delivered_.push_back(*reported);
  std::vector<Event> events;
  const absl::Status verdict = Decide(state_, presence_, input, events);
  if (!verdict.ok() && !events.empty()) broken_ = "a refused verb changed something";
  if (!verdict.ok() && !std::holds_alternative<Verb>(input)) broken_ = "an input was refused";
  Check(events);
  if (!std::holds_alternative<Tick>(input) || !events.empty()) return;
  const auto wake = NextWake(state_, presence_);
  if (wake && *wake <= now_) broken_ = "it asks to be woken for what it has just seen";
}

void RandomWorld::Check(const std::vector<Event>& events) {
  for (const Event& event : events) {
    history_.push_back(event);
    Apply(shadow_, event);
    const std::string broken = BrokenInvariant(shadow_, event);
    if (!broken.empty()) broken_ = absl::StrCat(broken, " after ", Describe(shadow_, event));
  }
  if (!(shadow_ == state_))
    broken_ = "replay differs from live, or something changed without an event";
  const std::string broken = BrokenInvariant(state_);
  if (!broken.empty()) broken_ = broken;
}

// Whoever may, in the same order each time.
void RandomWorld::ApproveByAll() {
  for (int person = 0; person < kPeople && WaitingGate(state_) != nullptr; ++person) {
    Feed(Verb{now_, Verb::Kind::approve, Person(person), "settling", {}});
  }
}

// Says what the rollout waits for a person to say; skips what is in doubt.
void RandomWorld::DecideAsPerson() {
  Verb verb;
  verb.now = now_;
  verb.who = Person(0);
  verb.reason = "settling";
  switch (state_.hold.why) {
    case Hold::Why::none:
      return;
    case Hold::Why::gate:
      return ApproveByAll();
    case Hold::Why::paused:
    case Hold::Why::brake:
      verb.kind = Verb::Kind::resume;
      break;
    case Hold::Why::needs_person:
      verb.kind = Verb::Kind::resume;
      if (!state_.undecided.empty()) {
        verb.kind = Verb::Kind::skip;
      } else if (state_.stopping) {
        verb.kind = Verb::Kind::abort;
      } else if (const Gate* gate = WaitingGate(state_);
                 gate != nullptr && gate->kind != Gate::Kind::wait) {
        return ApproveByAll();
      }
      verb.leave_mixed = true;
      if (verb.kind == Verb::Kind::skip) verb.hosts = {state_.undecided.begin()->host};
      break;
  }
  Feed(verb);
}

bool RandomWorld::Settle(int inputs_max) {
  for (std::size_t host = 0; host < state_.hosts.size(); ++host) {
    Feed(Attached{now_, static_cast<HostIx>(host)});
  }
  for (int i = 0; i < inputs_max && !state_.finished && broken_.empty(); ++i) {
    DecideAsPerson();
    if (state_.open.empty()) {
      const auto wake = NextWake(state_, presence_);
      if (wake) now_ = std::max(now_, *wake);
      Feed(Tick{now_});
      continue;
    }
    const TaskId id = *state_.open.begin();
    Feed(Reported{now_, id, state_.tasks.at(id).attempt, Verdict::succeeded, "", "", {}});
  }
  return state_.finished.has_value();
}

}  // namespace slipway::engine
