// Operators: they begin rollouts, answer when they are asked, and sometimes act out of the blue.
#pragma once

#include <string>
#include <vector>

#include "controller/engine/input.h"
#include "tests/sim/controller_side.h"
#include "tests/sim/rig.h"

namespace slipway::sim {

class People {
 public:
  People(Rig& rig, int rollouts) : rig_(rig), rollouts_(rollouts) {}

  void Start() { Look(); }
  int begun() const { return begun_; }

 private:
  void Look();
  void LookAgain();
  void BeginNext();
  void Act(Driver& driver);
  engine::Verb::Kind Fitting(const engine::State& state);
  void Say(Driver& driver, engine::Verb::Kind kind);

  Rig& rig_;
  const int rollouts_;
  int begun_ = 0;
  int looks_after_healing_ = 0;
  int answers_after_healing_ = 0;
};

}  // namespace slipway::sim
