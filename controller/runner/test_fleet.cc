#include "controller/runner/test_fleet.h"

#include <utility>

namespace slipway::controller {
namespace {

engine::Step TestStep(const std::string& action, bool disruptive) {
  engine::Step step;
  step.name = action + " media";
  step.action = step.payload = action;
  step.app = kApp;
  step.traits.undo = action == "check" ? engine::Undo::not_needed : engine::Undo::built_in;
  step.traits.disruptive = disruptive;
  step.traits.verifies = step.traits.on_rollback = action == "check";
  return step;
}

Observed Seen(const std::string& release) {
  return {{kApp, {release, release, release == kNew ? "2.0" : "1.0", true}}};
}

}  // namespace

engine::Planned TestPlan(int hosts, absl::Time at) {
  engine::Planned planned;
  planned.at = at;
  planned.description = "media 2.0";
  engine::Plan plan;
  plan.phases = {{"backend", 0, absl::Hours(1)}};
  engine::Part part;
  for (int i = 0; i < hosts; ++i) {
    const auto ix = static_cast<engine::HostIx>(i);
    planned.hosts.push_back({TestHost(i), "port=80", {{kApp, kNew}}});
    planned.before[ix] = Seen(kOld);
    part.hosts.push_back(ix);
  }
  part.steps = {TestStep("stage", false), TestStep("switch", true), TestStep("check", false)};
  part.strategy.canary = {1, 0};
  plan.parts = {part};
  planned.forward = engine::Forward(plan, 7);
  return planned;
}

void TestFleet::Send(const HostId& host, Command command) {
  MutexLock lock(mu_);
  ++sent_;
  const std::string id = ToString(command.id);
  if (!answered_.contains(id)) answered_[id] = Run(host, command);
  waiting_.push_back(answered_[id]);
  arrived_.NotifyAll();
}

Answer TestFleet::Run(const HostId& host, const Command& command) {
  ++effects_[ToString(command.id)];
  std::string& release = release_.try_emplace(host, kOld).first->second;
  if (command.payload == "switch") {
    release = command.direction == Direction::apply ? std::string(kNew) : command.previous;
  }
  Answer answer;
  answer.id = command.id;
  answer.verdict = Verdict::succeeded;
  if (command.direction == Direction::apply && broken_.contains({host, command.payload})) {
    answer.verdict = Verdict::failed;
    answer.message = command.payload + " failed";
  }
  answer.observed = Seen(release);
  return answer;
}

void TestFleet::Acknowledge(const HostId&, const CommandId& id) {
  MutexLock lock(mu_);
  acknowledged_.insert(ToString(id));
}

void TestFleet::Closed(const HostId& host, const RolloutId&) {
  MutexLock lock(mu_);
  closed_.insert(host);
}

std::vector<Answer> TestFleet::TakeAnswers() {
  MutexLock lock(mu_);
  return std::exchange(waiting_, {});
}

std::vector<Answer> TestFleet::WaitForAnswers(absl::Duration timeout) {
  MutexLock lock(mu_);
  if (waiting_.empty()) arrived_.WaitFor(mu_, timeout);
  return std::exchange(waiting_, {});
}

void TestFleet::Break(const HostId& host, const std::string& payload) {
  MutexLock lock(mu_);
  broken_.insert({host, payload});
}

int TestFleet::sent() const {
  MutexLock lock(mu_);
  return sent_;
}

std::map<std::string, int> TestFleet::effects() const {
  MutexLock lock(mu_);
  return effects_;
}

std::set<std::string> TestFleet::acknowledged() const {
  MutexLock lock(mu_);
  return acknowledged_;
}

std::set<HostId> TestFleet::closed() const {
  MutexLock lock(mu_);
  return closed_;
}

}  // namespace slipway::controller
