// One host: its disk, its children, its service, and the real agent core on it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/runner/task_runner.h"
#include "agent/state/command_log.h"
#include "agent/state/fake_log_file.h"
#include "tests/sim/disk_tap.h"
#include "tests/sim/host_world.h"
#include "tests/sim/rig.h"

namespace slipway::sim {

class Machine;

// One life of the agent's process: the real runner, log and core between simulated ports.
class AgentProcess final : public agent::Sender, public agent::Executor {
 public:
  AgentProcess(Rig& rig, Machine& machine, std::uint64_t life);

  // False: it died while it came up.
  bool Open();

  void Receive(const Command& command);
  void Feed(agent::Input input);
  void Connected(std::string nonce);
  void Disconnected() { nonce_.clear(); }
  void SetSlow(absl::Duration pause) { pause_ = pause; }

  std::uint64_t life() const { return life_; }
  bool IsIdle() const { return inbox_.empty(); }
  const agent::State* state() const { return runner_ ? &runner_->state() : nullptr; }

 private:
  void Accepted(const agent::Acceptance& acceptance) override;
  void Refused(const agent::Refusal& refusal) override;
  void Answered(const Answer& answer) override;
  void Start(const Command& command) override;
  void Probe(const Command& command, bool rebooted) override;
  void Cancel(const CommandId& id) override;

  void Pump();
  void Say(agent::Reply reply);
  void ApplyMutant(Command& command);

  Rig& rig_;
  Machine& machine_;
  const std::uint64_t life_;
  DiskTap disk_;
  std::string nonce_;  // of the session that is up; empty: none
  absl::Duration pause_ = absl::ZeroDuration();
  std::vector<agent::Input> inbox_;
  bool pump_is_due_ = false;
  std::unique_ptr<agent::CommandLog> log_;
  std::unique_ptr<agent::TaskRunner> runner_;
};

class Machine {
 public:
  Machine(Rig& rig, std::size_t index, HostId id);

  // The agent's process, if it runs.
  AgentProcess* agent() { return agent_.get(); }
  void StartAgent();
  // kill -9, or the end that the agent chose itself after a disk error.
  void AgentEnded();
  // Power is cut and comes back: all processes are gone, unsynced bytes too.
  void Reboot();
  // The service dies by itself.
  void LoseService();

  void StartChild(const Command& command, std::uint64_t life);
  void ProbeChild(const Command& command, std::uint64_t life);
  void CancelChild(const CommandId& id);

  std::size_t index() const { return index_; }
  const HostId& id() const { return id_; }
  const std::string& boot_id() const { return boot_id_; }
  HostWorld& world() { return world_; }
  const HostWorld& world() const { return world_; }
  agent::FakeLogFile& disk() { return disk_; }
  bool HasRunningChild() const;

 private:
  // A process under the shim: outlives the agent, and its result stays on disk.
  struct Child {
    enum class Stage { running, ended, killed } stage = Stage::running;
    Command command;
    enum class Fate { well, fails_early, fails_late, hangs, later } fate = Fate::well;
    bool effect_done = false;
    std::uint64_t watcher = 0;  // the agent's life that waits for it
    Answer answer;
  };

  void CountCrash();
  void LosePower();
  void TakeEffect(const CommandId& id);
  void EndChild(const CommandId& id, Verdict verdict, const char* message);
  void EndHanging(const CommandId& id);
  Child::Fate RandomFate(const Command& command);
  absl::Duration RandomDuration(const Command& command);
  Answer ProbeAnswer(const Command& command);
  void CountProbe(const Answer& answer, bool adopted);

  Rig& rig_;
  const std::size_t index_;
  const HostId id_;
  HostWorld world_;
  agent::FakeLogFile disk_;
  std::string boot_id_ = "boot-1";
  int boots_ = 1;
  std::uint64_t lives_ = 0;
  std::map<CommandId, Child> children_;
  std::unique_ptr<AgentProcess> agent_;
};

}  // namespace slipway::sim
