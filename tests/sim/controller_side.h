// The controller: real runner, engine and journal; a process that crashes, freezes and is
// taken over from.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controller/runner/rollout_runner.h"
#include "tests/sim/journal_store.h"
#include "tests/sim/network.h"
#include "tests/sim/rig.h"

namespace slipway::sim {

class ControllerProcess;

// The journal as one process sees it: it crashes around appends, fills up and leaves doubt.
class ProcessJournal final : public controller::Journal {
 public:
  enum class Crash { none, before, after };

  ProcessJournal(Rig& rig, const JournalStore& store, controller::Journal& beneath,
                 std::string holder)
      : rig_(rig), store_(store), beneath_(beneath), holder_(std::move(holder)) {}

  void CrashAtNextAppend(Crash how) { crash_ = how; }
  void SetFull(bool full) { full_ = full; }
  void LeaveNextAppendInDoubt() { in_doubt_ = true; }
  // The process is dead: by plan, or within an operation of its disk.
  bool crashed() const { return crashed_ || store_.crashed(); }

  absl::StatusOr<controller::Lease> Acquire(const RolloutId& rollout) override;
  absl::Status Append(const RolloutId& rollout, controller::Lease& lease,
                      const std::vector<std::string>& records) override;
  absl::StatusOr<std::vector<controller::Record>> Read(const RolloutId& rollout,
                                                       std::uint64_t first) override;
  absl::StatusOr<std::vector<RolloutId>> List() override;

 private:
  absl::Status AppendBeneath(const RolloutId& rollout, controller::Lease& lease,
                             const std::vector<std::string>& records);

  Rig& rig_;
  const JournalStore& store_;
  controller::Journal& beneath_;
  const std::string holder_;
  Crash crash_ = Crash::none;
  bool full_ = false, in_doubt_ = false, crashed_ = false;
};

// One rollout in one process: inbox, engine time, wake-ups.
class Driver {
 public:
  Driver(Rig& rig, ControllerProcess& process, std::unique_ptr<controller::RolloutRunner> runner);

  void Feed(engine::Input input);  // `now` is filled in
  // False: the runner is dead.
  bool Pump();
  void Thaw() { SchedulePump(); }

  absl::Time EngineNow() const;
  controller::RolloutRunner& runner() { return *runner_; }
  const engine::State& state() const { return runner_->state(); }
  bool IsWaitingForPerson() const;
  // Nothing is due: it has finished or only the outside can move it.
  bool IsAsleep() const { return inbox_.empty() && !wake_at_; }

 private:
  void SchedulePump();
  void ScheduleWake();
  void CheckReplay();
  void SendBeforeAppend(const std::vector<engine::Input>& inputs);

  Rig& rig_;
  ControllerProcess& process_;
  std::unique_ptr<controller::RolloutRunner> runner_;
  const std::uint64_t serial_;
  const absl::Time born_;
  const absl::Time engine_born_;
  std::vector<engine::Input> inbox_;
  bool pump_is_due_ = false;
  std::optional<absl::Time> wake_at_;
};

class ControllerProcess final : public controller::Outbound {
 public:
  ControllerProcess(Rig& rig, const JournalStore& store, controller::Journal& beneath,
                    std::uint64_t life);

  // Takes over all that the journal knows. It may die of it: ask journal().crashed().
  void Recover();
  bool Open(const RolloutId& rollout, engine::Planned planned);

  Driver* Find(const RolloutId& rollout);
  Driver* Current();  // the newest rollout
  void ForEach(const std::function<void(Driver&)>& what);
  // The runner of `rollout` died, the process goes on.
  void Drop(const RolloutId& rollout);

  void Freeze() { frozen_ = true; }
  // What it sends next is written into its buffers, and there it stays while another takes over.
  void FreezeAtNextSend() { freezes_at_send_ = true; }
  void Thaw();
  bool frozen() const { return frozen_; }
  bool is_zombie() const { return is_zombie_; }
  void SetSlow(absl::Duration pause) { pause_ = pause; }
  absl::Duration pause() const { return pause_; }

  ProcessJournal& journal() { return journal_; }
  const std::string& holder() const { return holder_; }
  std::uint64_t life() const { return life_; }

  void Send(const HostId& host, Command command) override;
  void Acknowledge(const HostId& host, const CommandId& id) override;
  void Closed(const HostId& host, const RolloutId& rollout) override;

 private:
  void RecoverOne(const RolloutId& rollout);
  void Adopt(std::unique_ptr<controller::RolloutRunner> runner);
  void Enqueue(const HostId& host, Down message);
  void Flush();

  Rig& rig_;
  const std::uint64_t life_;
  const std::string holder_;
  ProcessJournal journal_;
  bool frozen_ = false, is_zombie_ = false, freezes_at_send_ = false;
  std::vector<std::pair<HostId, Down>> buffer_;  // on its way to the sockets
  absl::Duration pause_ = absl::ZeroDuration();
  std::map<RolloutId, std::unique_ptr<Driver>> drivers_;
};

// Which processes there are: one that is reachable, and perhaps one that was frozen and does
// not know that it was replaced.
class ControllerSide {
 public:
  ControllerSide(Rig& rig, std::unique_ptr<JournalStore> store)
      : rig_(rig), store_(std::move(store)) {}

  void Start();
  void Kill();
  // The process dies at the end of what it is doing now.
  void KillSoon(std::uint64_t life);
  // The process is frozen, another takes over, and later it goes on.
  void TakeOver(absl::Duration thaw_after);
  void Begin(const RolloutId& rollout, engine::Planned planned);

  bool IsUp() const { return active_ != nullptr; }
  ControllerProcess* active() { return active_.get(); }
  ControllerProcess* Find(std::uint64_t life);
  // As the process that is up sees it; nullptr: none is.
  controller::Journal* journal() { return active_ ? &active_->journal() : nullptr; }
  JournalDisk* disk() { return store_->disk(); }

  // From the network.
  void Attached(std::size_t host);
  void Lost(std::size_t host);
  void Answered(std::size_t host, const Answer& answer);
  void Sighted(std::size_t host, const Observed& observed);
  void Tripped(std::size_t host, const std::string& reason);

 private:
  void FeedCurrent(const std::function<engine::Input(engine::HostIx)>& make, std::size_t host);

  void StartAgain();
  // The dead process's files are closed; its machine may go down with it.
  void CloseStore();

  Rig& rig_;
  const std::unique_ptr<JournalStore> store_;
  std::uint64_t lives_ = 0;
  std::unique_ptr<ControllerProcess> active_, zombie_;
  std::vector<std::pair<RolloutId, engine::Planned>> wanted_;  // not in the journal yet
};

}  // namespace slipway::sim
