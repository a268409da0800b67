// What goes wrong, at random, until the weather clears.
#pragma once

#include "tests/sim/journal_disk.h"
#include "tests/sim/rig.h"

namespace slipway::sim {

Weather RandomWeather(Dice& dice);

class Faults {
 public:
  explicit Faults(Rig& rig) : rig_(rig) {}
  void Start();

 private:
  void Next();
  void Heal();
  void OneFault();
  void HitAgent();
  void HitDisk();
  void HitNetwork();
  void HitController();
  void HitJournalDisk(JournalDisk& disk);

  Rig& rig_;
};

}  // namespace slipway::sim
