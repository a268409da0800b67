// What holds for every rollout, tried on many random ones. A failure prints its seed;
// SLIPWAY_ENGINE_SEED runs that one alone,
// SLIPWAY_ENGINE_FIRST_SEED starts the seeds elsewhere, SLIPWAY_ENGINE_EFFORT=10 tries ten times
// as many.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <map>

#include "absl/strings/str_cat.h"
#include "controller/engine/lane.h"
#include "controller/engine/random_rollout.h"

namespace slipway::engine {
namespace {

int NumberFrom(const char* name, int otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::stoi(text);
}

std::vector<std::uint64_t> Seeds(int count) {
  if (const char* seed = std::getenv("SLIPWAY_ENGINE_SEED")) return {std::stoull(seed)};
  std::vector<std::uint64_t> seeds;
  const int first = NumberFrom("SLIPWAY_ENGINE_FIRST_SEED", 1);
  count *= NumberFrom("SLIPWAY_ENGINE_EFFORT", 1);
  for (int i = 0; i < count; ++i) seeds.push_back(static_cast<std::uint64_t>(first + i));
  return seeds;
}

std::string Story(const RandomWorld& world) {
  std::string text;
  for (const Event& event : world.history()) {
    absl::StrAppend(&text, "  ", Describe(world.state(), event), "\n");
  }
  return text;
}

// How often something rare was reached: a property of what never happens proves nothing.
struct Counters {
  std::map<std::string, int> hits;
  void Count(const State& state, const std::vector<Event>& history) {
    for (const Event& event : history) {
      if (const auto* e = std::get_if<Held>(&event)) {
        hits[absl::StrCat("hold ", static_cast<int>(e->hold.why))]++;
      }
      if (const auto* e = std::get_if<TaskEnded>(&event)) {
        hits[absl::StrCat("outcome ", std::string(ToString(e->outcome)))]++;
      }
      if (std::holds_alternative<TaskResolved>(event)) hits["resolved"]++;
      if (std::holds_alternative<HostTurnedBack>(event)) hits["host turned back"]++;
      if (std::holds_alternative<HostTripped>(event)) hits["tripped"]++;
      if (std::holds_alternative<TurnedBack>(event)) hits["turned back"]++;
    }
    if (state.finished) hits[absl::StrCat("result ", static_cast<int>(state.finished->result))]++;
  }
};

// Judges a history from outside, knowing nothing of State.
class Historian {
 public:
  std::string Judge(const std::vector<Event>& history) {
    for (const Event& event : history) {
      std::visit([this](const auto& e) { On(e); }, event);
      if (!wrong_.empty()) return wrong_;
    }
    return "";
  }

 private:
  struct Record {
    int attempt = 0;
    bool running = false;
    std::optional<Outcome> outcome;
  };

  void On(const TaskIssued& e) {
    Record& record = tasks_[e.task];
    if (over_) wrong_ = "issued after the end";
    if (turned_back_ && e.task.course != Course::backward)
      wrong_ = "went forward after turning back";
    if (record.running) wrong_ = "an attempt was issued while another ran";
    if (record.outcome) wrong_ = "a task with an outcome was issued again";
    if (e.attempt != record.attempt + 1) wrong_ = "attempts do not count up by one";
    if (!busy_.insert(e.task.host).second) wrong_ = "a host was given two tasks";
    record.attempt = e.attempt;
    record.running = true;
  }
  void On(const TaskEnded& e) {
    Record& record = tasks_[e.task];
    if (record.outcome) wrong_ = "an outcome was recorded twice";
    if (record.running) busy_.erase(e.task.host);
    record.running = false;
    if (!e.again_at) record.outcome = e.outcome;
  }
  void On(const TaskResolved& e) {
    Record& record = tasks_[e.task];
    if (record.running) wrong_ = "a running task was resolved";
    if (record.outcome == Outcome::succeeded) wrong_ = "a success was taken back";
    if (e.by.empty() && record.outcome != Outcome::unknown &&
        record.outcome != Outcome::unreachable) {
      wrong_ = "a late answer changed a known outcome";
    }
    if (!e.skipped) record.outcome = e.outcome;
  }
  void On(const BatchEntered& e) {
    if (!busy_.empty()) wrong_ = "a batch was entered while a task of the last one ran";
    const int place = e.course == Course::backward ? 10000 + e.batch : e.batch;
    if (place <= entered_) wrong_ = "a batch was entered twice or out of order";
    entered_ = place;
  }
  void On(const TurnedBack&) {
    if (turned_back_) wrong_ = "turned back twice";
    if (!busy_.empty()) wrong_ = "turned back while a task ran";
    turned_back_ = true;
  }
  void On(const Finished&) {
    if (over_) wrong_ = "ended twice";
    if (!busy_.empty()) wrong_ = "ended while a task ran";
    over_ = true;
  }
  template <class Other>
  void On(const Other&) {
    if (over_) wrong_ = "something happened after the end";
  }

  std::map<TaskId, Record> tasks_;
  std::set<HostIx> busy_;
  int entered_ = -1;
  bool turned_back_ = false, over_ = false;
  std::string wrong_;
};

TEST(EngineProperty, InvariantsHoldAndReplayEqualsLiveUnderRandomInputs) {
  Counters counters;
  for (const std::uint64_t seed : Seeds(1000)) {
    RandomWorld world(seed, false);
    for (int i = 0; i < 250 && world.broken().empty(); ++i) world.Feed(world.NextInput());
    ASSERT_EQ(world.broken(), "") << "seed " << seed << "\n" << Story(world);
    ASSERT_EQ(Historian().Judge(world.history()), "") << "seed " << seed << "\n" << Story(world);
    counters.Count(world.state(), world.history());
  }
  if (std::getenv("SLIPWAY_ENGINE_SEED") != nullptr) return;
  for (const char* rare : {"hold 1", "hold 2", "hold 3", "hold 4", "outcome succeeded",
                           "outcome failed", "outcome timed_out", "outcome unreachable",
                           "outcome unknown", "resolved", "host turned back", "tripped",
                           "turned back", "result 0", "result 1", "result 2", "result 3"}) {
    EXPECT_GT(counters.hits[rare], 0) << rare << " was never reached";
  }
}

TEST(EngineProperty, EveryRolloutEndsWhenTroubleEndsAndPeopleDecide) {
  for (const std::uint64_t seed : Seeds(1000)) {
    RandomWorld world(seed, false);
    for (int i = 0; i < 60; ++i) world.Feed(world.NextInput());
    const bool ended = world.Settle(3000);
    ASSERT_EQ(world.broken(), "") << "seed " << seed << "\n" << Story(world);
    ASSERT_TRUE(ended) << "seed " << seed << "\n" << Story(world);
    ASSERT_EQ(Historian().Judge(world.history()), "") << "seed " << seed << "\n" << Story(world);
  }
}

TEST(EngineProperty, OldReportsChangeNothing) {
  for (const std::uint64_t seed : Seeds(400)) {
    RandomWorld plain(seed, false), noisy(seed, false);
    Dice dice(seed + 1);
    for (int i = 0; i < 200; ++i) {
      const Input input = plain.NextInput();
      plain.Feed(input);
      noisy.Feed(input);
      for (int n = dice.Below(3); n > 0 && !plain.delivered().empty(); --n) {
        const int count = static_cast<int>(plain.delivered().size());
        Reported again = plain.delivered()[static_cast<std::size_t>(dice.Below(count))];
        again.now = plain.now();
        noisy.Feed(again);
      }
    }
    ASSERT_TRUE(plain.history() == noisy.history()) << "seed " << seed << "\n"
                                                    << Story(plain) << "with old reports:\n"
                                                    << Story(noisy);
  }
}

TEST(EngineProperty, TheOrderOfAnswersDoesNotChangeTheEnd) {
  for (const std::uint64_t seed : Seeds(200)) {
    RandomWorld first(seed, true), second(seed, true);
    second.NextInput();  // from here on their dice fall differently
    ASSERT_TRUE(first.Settle(3000)) << "seed " << seed;
    for (int i = 0; i < 3000 && !second.state().finished; ++i) {
      second.Feed(second.NextInput());
      if (second.state().open.empty()) second.Settle(1);
    }
    ASSERT_TRUE(second.state().finished) << "seed " << seed;
    ASSERT_EQ(first.state().finished->result, second.state().finished->result) << "seed " << seed;
    ASSERT_EQ(first.state().tasks.size(), second.state().tasks.size()) << "seed " << seed;
    for (const auto& [id, task] : first.state().tasks) {
      ASSERT_EQ(task.outcome, second.state().tasks.at(id).outcome) << "seed " << seed;
    }
  }
}

// By host: the names of the steps that are undone, in order.
std::map<HostIx, std::vector<std::string>> Undone(const Schedule& backward) {
  std::map<HostIx, std::vector<std::string>> undone;
  for (const Batch& batch : backward.batches) {
    for (const Chain& chain : batch.hosts) {
      for (std::size_t i = chain.first; i < batch.steps.size(); ++i) {
        const Step& step = backward.steps[batch.steps[i]];
        if (step.direction == Direction::undo) undone[chain.host].push_back(step.name);
      }
    }
  }
  return undone;
}

TEST(EngineProperty, TheWayBackReversesExactlyWhatWasIssued) {
  for (const std::uint64_t seed : Seeds(2000)) {
    Dice dice(seed);
    const Schedule forward = Forward(RandomPlan(dice, 6), seed);
    RollbackPolicy policy = RandomRollback(dice, 6);
    policy.database = dice.Chance(50) ? DatabaseWay::down : DatabaseWay::restore;
    Reach reach;
    std::map<HostIx, std::vector<std::string>> issued;
    bool database = false;
    for (std::size_t b = 0; b < forward.batches.size(); ++b) {
      const Batch& batch = forward.batches[b];
      for (const Chain& chain : batch.hosts) {
        const int count = dice.Below(static_cast<int>(batch.steps.size()) + 1);
        if (count > 0)
          reach[{static_cast<std::uint16_t>(b), chain.host}] = static_cast<std::uint16_t>(count);
        for (int i = 0; i < count; ++i) {
          const Step& step = forward.steps[batch.steps[static_cast<std::size_t>(i)]];
          if (step.traits.undo != Undo::built_in) continue;
          issued[chain.host].push_back(step.name);
          database = database || step.traits.sweep == Sweep::restore;
        }
      }
    }
    auto undone = Undone(Backward(forward, policy, reach));
    const bool ordered = !database;  // sweeps, and `down` at the end, follow an order of their own
    for (auto& [host, names] : issued) std::reverse(names.begin(), names.end());
    if (!ordered) {
      for (auto& [host, names] : issued) std::sort(names.begin(), names.end());
      for (auto& [host, names] : undone) std::sort(names.begin(), names.end());
    }
    ASSERT_EQ(issued, undone) << "seed " << seed;
  }
}

Planned LargeRollout(int hosts) {
  Planned planned;
  planned.at = absl::UnixEpoch();
  Plan plan;
  plan.phases.push_back({"backend", 0, absl::ZeroDuration()});
  Part part;
  for (int i = 0; i < hosts; ++i) {
    planned.hosts.push_back({HostId{absl::StrCat("host-", i)}, "", {}});
    part.hosts.push_back(static_cast<HostIx>(i));
  }
  for (int i = 0; i < 6; ++i) {
    Step step;
    step.name = absl::StrCat("step-", i);
    step.traits.undo = Undo::built_in;
    step.traits.disruptive = i > 0;
    part.steps.push_back(step);
  }
  plan.parts.push_back(part);
  planned.forward = Forward(plan, 1);
  return planned;
}

// Seconds of processor time for all answers of one rollout; others may use the machine meanwhile.
double TimeOf(int hosts) {
  State state;
  Presence presence;
  std::vector<Event> events;
  Apply(state, LargeRollout(hosts));
  const Time now = absl::UnixEpoch();
  EXPECT_TRUE(Decide(state, presence, Tick{now}, events).ok());
  for (int i = 0; i < hosts; ++i) {
    EXPECT_TRUE(Decide(state, presence, Attached{now, static_cast<HostIx>(i)}, events).ok());
  }
  const std::clock_t begin = std::clock();
  while (!state.open.empty()) {
    const std::vector<TaskId> open(state.open.begin(), state.open.end());
    for (const TaskId& id : open) {
      events.clear();
      EXPECT_TRUE(
          Decide(state, presence, Reported{now, id, 1, Verdict::succeeded, "", "", {}}, events)
              .ok());
    }
  }
  EXPECT_TRUE(state.finished);
  return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

TEST(EngineProperty, WorkForOneAnswerDoesNotGrowWithTheFleet) {
  // Twenty times the fleet may cost twenty times as much, and somewhat more for deeper trees and
  // colder caches. Anything that looks at the fleet for each answer would cost 400 times as much.
  double small = TimeOf(500), large = TimeOf(10000);
  for (int i = 0; i < 2; ++i) {
    small = std::min(small, TimeOf(500));
    large = std::min(large, TimeOf(10000));
  }
  EXPECT_LT(large, 100 * small) << small << " s for 3,000 answers, " << large << " s for 60,000";
}

}  // namespace
}  // namespace slipway::engine
