#include <utility>

#include "agent/core/core.h"

namespace slipway::agent {
namespace {

using Phase = Entry::Phase;

class Condenser {
 public:
  explicit Condenser(const State& state) : state_(state) {}

  std::vector<Record> Run() {
    for (const auto& [id, entry] : state_.entries) {
      if (entry.phase == Phase::acknowledged) AddEnded(entry);
    }
    for (const CommandId& id : state_.outbox) AddEnded(state_.entries.at(id));
    AddCurrent();
    // After the current command, which may outlive its rollout, and before what waits.
    for (const RolloutId& rollout : state_.closed) Add(Closed{rollout});
    for (const CommandId& id : state_.waiting) Add(Accepted{state_.entries.at(id).command});
    for (const auto& [rollout, fence] : state_.witness) Add(Fenced{rollout, fence});
    return std::move(records_);
  }

 private:
  void Add(Record record) { records_.push_back(std::move(record)); }

  void AddBoot(const std::string& boot_id) {
    if (boot_id == boot_id_) return;
    boot_id_ = boot_id;
    Add(Booted{boot_id});
  }

  void AddEnded(const Entry& entry) {
    Add(Accepted{entry.command});
    if (!entry.boot_id.empty()) {  // else it ended without having been started
      AddBoot(entry.boot_id);
      Add(Started{entry.command.id});
    }
    Add(Answered{entry.answer});
    if (entry.phase == Phase::acknowledged) Add(Acked{entry.command.id});
  }

  void AddCurrent() {
    if (state_.current) {
      const Entry& entry = state_.entries.at(*state_.current);
      Add(Accepted{entry.command});
      AddBoot(entry.boot_id);
      Add(Started{*state_.current});
      if (entry.phase == Phase::probing) Add(Booted{state_.boot_id});
    } else {
      AddBoot(state_.boot_id);
    }
  }

  const State& state_;
  std::string boot_id_;
  std::vector<Record> records_;
};

}  // namespace

std::vector<Record> Condense(const State& state) {
  return Condenser(state).Run();
}

}  // namespace slipway::agent
