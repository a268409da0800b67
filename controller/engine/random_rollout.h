// Random rollouts for property tests: plans, and hosts that answer, repeat themselves and vanish.
#pragma once

#include <cstdint>
#include <vector>

#include "controller/engine/engine.h"

namespace slipway::engine {

// A small generator whose sequence is the same everywhere: a printed seed repeats a failure.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15ULL + 1) {}
  std::uint64_t Next();
  int Below(int limit) { return static_cast<int>(Next() % static_cast<std::uint64_t>(limit)); }
  bool Chance(int percent) { return Below(100) < percent; }

 private:
  std::uint64_t state_;
};

Plan RandomPlan(Dice& dice, int hosts);
RollbackPolicy RandomRollback(Dice& dice, int hosts);
Planned RandomRollout(std::uint64_t seed);

// Drives one rollout through random inputs and keeps what happened.
class RandomWorld {
 public:
  // `benign`: every host stays attached and every answer is a success; nobody interferes.
  RandomWorld(std::uint64_t seed, bool benign);

  // One random input. Returns it, so that another world can be fed the same.
  Input NextInput();
  void Feed(const Input& input);
  // Trouble is over: hosts attach, answer with success, a person decides what waits for one.
  // Returns whether the rollout ended within `inputs_max` inputs.
  bool Settle(int inputs_max);

  const State& state() const { return state_; }
  const Presence& presence() const { return presence_; }
  const std::vector<Event>& history() const { return history_; }
  const std::vector<Reported>& delivered() const { return delivered_; }
  // What went wrong so far, in words; empty: nothing.
  const std::string& broken() const { return broken_; }
  Time now() const { return now_; }

 private:
  void Check(const std::vector<Event>& events);
  Reported AnswerTo(const TaskId& id) const;
  Input RandomReport();
  Input RandomVerb();
  void DecideAsPerson();
  void ApproveByAll();
  HostIx AnyHost() {
    return static_cast<HostIx>(dice_.Below(static_cast<int>(state_.hosts.size())));
  }

  const std::uint64_t seed_;
  const bool benign_;
  Dice dice_;
  State state_, shadow_;  // the shadow is only ever changed by Apply
  Presence presence_;
  Time now_ = absl::UnixEpoch();
  std::vector<Event> history_;
  std::vector<Reported> delivered_;
  std::vector<Reported> withheld_;  // answers that are on their way
  std::string broken_;
};

}  // namespace slipway::engine
