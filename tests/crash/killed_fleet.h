// A controller and two agents that die where they are told to and are started again at once, as by
// a service manager.
#pragma once

#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "common/mutex.h"
#include "tests/crash/kill_point.h"
#include "tests/integration/mini_fleet.h"

namespace slipway::crash {

// One death of one process; operations are counted from the beginning of a rollout, those of the
// controller from its first record on.
struct PlannedKill {
  std::string process;  // "controller", "web-1", "web-2"
  std::uint64_t operation = 1;
  How how = How::before;
  std::uint64_t again_after = 0;  // operations into its next life; 0: it dies once
};

class KilledFleet {
 public:
  KilledFleet();
  ~KilledFleet();

  // With the first release on both hosts; "" or why not.
  std::string Start();
  // A rollout with these kills, to its end and until all are connected again; what is wrong then,
  // "" when it went back by itself and all is as it was.
  std::string Roll(const std::vector<PlannedKill>& kills);
  // What the journals of both sides say about all rollouts so far, "" when they hold.
  std::string JudgeJournals();

  static const std::vector<std::string>& processes();
  // How many operations the last rollout took.
  std::uint64_t OperationsOf(const std::string& process) const;
  std::uint64_t kills() const;

 private:
  struct Killable {
    KillPoint* point = nullptr;
    std::uint64_t begun_at = 0;  // operations when the last rollout began
    std::uint64_t took = 0;
  };

  void MapKillPoint(const std::string& process);
  void Keep();  // starts again who died
  void Complain(const std::string& what);
  std::string Create(const std::string& version, v1::Rollout& rollout);
  bool AwaitReports();
  bool AllAreBack();
  bool AwaitEnd(const std::string& id, v1::Rollout& rollout);
  std::string JudgeHosts(const v1::Rollout& rollout) const;
  std::string App(const std::string& host) const;
  std::string LogOf(const std::string& process) const;

  test::MiniFleet fleet_;
  std::map<std::string, Killable> killable_;
  int requests_ = 0;
  std::vector<std::string> rollouts_;
  std::atomic<bool> over_ = false;
  std::thread keeper_;
  mutable Mutex mu_;
  std::string complaint_ ABSL_GUARDED_BY(mu_);
  std::uint64_t restarts_ ABSL_GUARDED_BY(mu_) = 0;
  // How long a host's log was when its agent was last started again.
  std::map<std::string, std::size_t> log_before_ ABSL_GUARDED_BY(mu_);
};

}  // namespace slipway::crash
