// The way back: a schedule like any other, made from how far each host came.
#include <algorithm>

#include "controller/engine/schedule.h"

namespace slipway::engine {
namespace {

bool CanBeUndone(const Step& step) {
  return step.traits.undo == Undo::built_in;
}
bool IsCheckAfterwards(const Step& step) {
  return step.traits.on_rollback && step.traits.undo == Undo::not_needed;
}

// Hosts that go the same way back: the same steps of the same phase.
struct Group {
  std::uint16_t phase = 0;
  std::vector<StepIx> steps;  // of the backward schedule
  std::vector<Chain> hosts;
};

class WayBack {
 public:
  WayBack(const Schedule& forward, const RollbackPolicy& policy, const Reach& reach)
      : forward_(forward), policy_(policy), reach_(reach) {}

  Schedule Build() {
    FindTouched();
    const bool database_touched = std::any_of(reach_.begin(), reach_.end(), [&](const auto& entry) {
      return ReachesRestore(forward_.batches[entry.first.first], entry.second);
    });
    if (database_touched && policy_.database == DatabaseWay::restore) {
      BuildSweeps();
    } else {
      BuildBatches(database_touched && policy_.database == DatabaseWay::down);
    }
    return std::move(back_);
  }

 private:
  bool ReachesRestore(const Batch& batch, std::uint16_t reach) const {
    return std::any_of(batch.steps.begin(), batch.steps.begin() + reach, [&](StepIx ix) {
      return CanBeUndone(forward_.steps[ix]) && forward_.steps[ix].traits.sweep == Sweep::restore;
    });
  }

  std::uint16_t ReachOf(std::uint16_t batch, HostIx host) const {
    const auto it = reach_.find({batch, host});
    return it == reach_.end() ? 0 : it->second;
  }

  void FindTouched() {
    for (const auto& [where, reach] : reach_) {
      const Batch& batch = forward_.batches[where.first];
      for (std::uint16_t i = 0; i < reach; ++i) {
        if (CanBeUndone(forward_.steps[batch.steps[i]])) touched_.insert(where.second);
      }
    }
  }

  // Batch by batch, each host's chain reversed, its checks last. The schema is kept, or goes
  // down when nothing that needs it runs any more.
  void BuildBatches(bool migrate_down) {
    const auto phase_of = [&](std::uint16_t phase) {
      return PhaseNamed(forward_.phases[phase].name);
    };
    AddReversed(phase_of, [](Sweep sweep) { return sweep != Sweep::restore; }, true);
    if (migrate_down)
      AddReversed(phase_of, [](Sweep sweep) { return sweep == Sweep::restore; }, false);
    AddChecks(phase_of, touched_, [&](const Batch& batch) { return !HasUndo(batch); });
  }

  // Fleet-wide, since a restored database takes away the ground under every one of its users.
  void BuildSweeps() {
    std::set<HostIx> checked = touched_;
    checked.insert(policy_.users.begin(), policy_.users.end());
    const auto in = [&](const char* name) {
      return [this, name](std::uint16_t) { return PhaseNamed(name); };
    };
    const auto only = [](Sweep wanted) {
      return [wanted](Sweep sweep) { return sweep == wanted; };
    };

    AddForUsers("quiesce", policy_.quiesce);
    AddReversed(in("quiesce"), only(Sweep::quiesce), false);
    AddReversed(in("restore"), only(Sweep::restore), false);
    AddReversed(in("undo"), only(Sweep::undo), false);
    AddReversed(in("resume"), only(Sweep::resume), false);
    AddForUsers("resume", policy_.resume);
    AddChecks(in("verify"), checked, [](const Batch&) { return true; });
  }

  bool HasUndo(const Batch& batch) const {
    return std::any_of(batch.steps.begin(), batch.steps.end(),
                       [&](StepIx ix) { return CanBeUndone(forward_.steps[ix]); });
  }

  // Positions of `batch`, from `first` on, that are undone in this sweep; the last comes first.
  template <class Wanted>
  std::vector<std::uint16_t> UndoPositions(const Batch& batch, std::uint16_t first,
                                           const Wanted& wanted) const {
    std::vector<std::uint16_t> positions;
    for (std::size_t i = batch.steps.size(); i > first; --i) {
      const Step& step = forward_.steps[batch.steps[i - 1]];
      if (CanBeUndone(step) && wanted(step.traits.sweep)) {
        positions.push_back(static_cast<std::uint16_t>(i - 1));
      }
    }
    return positions;
  }

  std::vector<StepIx> CheckSteps(const Batch& batch, std::uint16_t first) {
    std::vector<StepIx> steps;
    for (std::size_t i = first; i < batch.steps.size(); ++i) {
      if (!IsCheckAfterwards(forward_.steps[batch.steps[i]])) continue;
      steps.push_back(Turned(batch.steps[i], Direction::previous));
    }
    return steps;
  }

  // The issued steps of each host, last first; what was not issued is passed over by the
  // chain's `first`. Hosts of one part go together although they came in several batches.
  template <class PhaseOf, class Wanted>
  void AddReversed(const PhaseOf& phase_of, const Wanted& wanted, bool with_checks) {
    std::vector<Group> groups;
    for (std::size_t b = forward_.batches.size(); b > 0; --b) {
      const Batch& batch = forward_.batches[b - 1];
      for (const Chain& chain : batch.hosts) {
        const std::uint16_t reach = ReachOf(static_cast<std::uint16_t>(b - 1), chain.host);
        const std::vector<std::uint16_t> positions = UndoPositions(batch, chain.first, wanted);
        const auto issued = std::find_if(positions.begin(), positions.end(),
                                         [&](std::uint16_t at) { return at < reach; });
        if (issued == positions.end()) continue;
        std::vector<StepIx> steps;
        for (const std::uint16_t at : positions) {
          steps.push_back(Turned(batch.steps[at], Direction::undo));
        }
        if (with_checks) {
          const std::vector<StepIx> checks = CheckSteps(batch, chain.first);
          steps.insert(steps.end(), checks.begin(), checks.end());
        }
        AddTo(groups, phase_of(batch.phase), std::move(steps),
              {chain.host, static_cast<std::uint16_t>(issued - positions.begin())});
      }
    }
    Emit(groups);
  }

  // Checks bound to the old release, for those of `hosts` that the batch was meant for.
  template <class PhaseOf, class Meant>
  void AddChecks(const PhaseOf& phase_of, const std::set<HostIx>& hosts, const Meant& meant) {
    std::vector<Group> groups;
    for (const Batch& batch : forward_.batches) {
      if (!meant(batch)) continue;
      for (const Chain& chain : batch.hosts) {
        if (hosts.count(chain.host) == 0) continue;
        std::vector<StepIx> steps = CheckSteps(batch, chain.first);
        if (!steps.empty()) AddTo(groups, phase_of(batch.phase), std::move(steps), {chain.host, 0});
      }
    }
    Emit(groups);
  }

  void AddForUsers(const char* phase, const std::vector<Step>& steps) {
    if (policy_.users.empty() || steps.empty()) return;
    Group group;
    group.phase = PhaseNamed(phase);
    for (const Step& step : steps) {
      group.steps.push_back(static_cast<StepIx>(back_.steps.size()));
      back_.steps.push_back(step);
      back_.steps.back().traits.unreachable = Unreachable::fail;
    }
    for (const HostIx host : policy_.users) group.hosts.push_back({host, 0});
    Emit({group});
  }

  // Groups stay in the order in which their first host came; neighbours with the same steps are
  // one. A look at the last group is enough: batches of one part are neighbours.
  static void AddTo(std::vector<Group>& groups, std::uint16_t phase, std::vector<StepIx> steps,
                    Chain chain) {
    if (groups.empty() || groups.back().phase != phase || groups.back().steps != steps) {
      groups.push_back({phase, std::move(steps), {}});
    }
    groups.back().hosts.push_back(chain);
  }

  void Emit(const std::vector<Group>& groups) {
    for (const Group& group : groups) {
      std::size_t taken = 0;
      for (const std::size_t size : BatchSizes(group.hosts.size(), {}, policy_.ramp)) {
        Batch batch{group.phase, group.steps, {}, {}};
        batch.hosts.assign(group.hosts.begin() + taken, group.hosts.begin() + taken + size);
        taken += size;
        back_.batches.push_back(std::move(batch));
      }
    }
  }

  StepIx Turned(StepIx forward, Direction direction) {
    const auto [it, is_new] =
        turned_.emplace(std::pair(forward, direction), static_cast<StepIx>(back_.steps.size()));
    if (is_new) {
      Step step = forward_.steps[forward];
      step.direction = direction;
      // On the way back a host that cannot be reached is waited for, then named.
      step.traits.unreachable = Unreachable::fail;
      back_.steps.push_back(std::move(step));
    }
    return it->second;
  }

  std::uint16_t PhaseNamed(const std::string& name) {
    const auto it = std::find_if(back_.phases.begin(), back_.phases.end(),
                                 [&](const Phase& phase) { return phase.name == name; });
    if (it != back_.phases.end()) return static_cast<std::uint16_t>(it - back_.phases.begin());
    back_.phases.push_back({name, 0, absl::ZeroDuration()});
    return static_cast<std::uint16_t>(back_.phases.size() - 1);
  }

  const Schedule& forward_;
  const RollbackPolicy& policy_;
  const Reach& reach_;
  std::set<HostIx> touched_;  // something was issued to them that can be undone
  std::map<std::pair<StepIx, Direction>, StepIx> turned_;
  Schedule back_;
};

}  // namespace

std::optional<StepIx> PointOfNoReturn(const Schedule& forward, const Reach& reach) {
  for (const auto& [where, count] : reach) {
    const Batch& batch = forward.batches[where.first];
    for (std::uint16_t i = 0; i < count; ++i) {
      if (forward.steps[batch.steps[i]].traits.undo == Undo::impossible) return batch.steps[i];
    }
  }
  return std::nullopt;
}

Schedule Backward(const Schedule& forward, const RollbackPolicy& policy, const Reach& reach) {
  return WayBack(forward, policy, reach).Build();
}

}  // namespace slipway::engine
