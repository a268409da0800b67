#include "controller/planner/preview.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/artifact/digest.h"
#include "common/plan/problem_proto.h"
#include "common/plan/scalar_values.h"
#include "controller/planner/durations.h"
#include "controller/planner/planner.h"
#include "slipway/v1/plan.pb.h"
#include "slipway/v1/rollout.pb.h"

namespace slipway::controller {
namespace {

using engine::Batch;
using engine::Schedule;
using engine::Step;

constexpr absl::Duration kPauseMax = absl::Seconds(60);  // between attempts (engine, Backoff)
constexpr std::size_t kNamesShown = 5;

absl::Duration WorstCaseOf(const Step& step) {
  return step.traits.timeout * (1 + step.traits.retries) + kPauseMax * step.traits.retries;
}

std::string NamesOf(const CompiledPlan& compiled, const std::vector<engine::Chain>& chains) {
  std::vector<std::string> names;
  for (const engine::Chain& chain : chains) {
    if (names.size() == kNamesShown) break;
    names.push_back(compiled.targets[chain.host].id.text);
  }
  std::string text = absl::StrJoin(names, ", ");
  if (chains.size() > kNamesShown) {
    absl::StrAppend(&text, " and ", chains.size() - kNamesShown, " more");
  }
  return text;
}

// "undo start media", "check http, bound to the old release".
std::string InWords(const Step& step) {
  switch (step.direction) {
    case Direction::undo:
      return absl::StrCat("undo ", step.name);
    case Direction::previous:
      return absl::StrCat(step.name, ", bound to the old release");
    case Direction::apply:
      return step.name;
  }
  return step.name;
}

std::string InWords(const engine::Gate& gate) {
  switch (gate.kind) {
    case engine::Gate::Kind::wait:
      return absl::StrCat("wait ", plan::DurationText(gate.within));
    case engine::Gate::Kind::approval:
      return absl::StrCat("approval by ", gate.role, " (",
                          gate.approvals > 1 ? absl::StrCat(gate.approvals, " of ") : "",
                          absl::StrJoin(gate.people, ", "), "), within ",
                          plan::DurationText(gate.within),
                          gate.text.empty() ? "" : absl::StrCat(": ", gate.text));
    case engine::Gate::Kind::none:
    case engine::Gate::Kind::healthy:
    case engine::Gate::Kind::window:
      break;
  }
  return "";
}

// Where each part's batches begin, and what they are called; Forward cuts parts in this order.
struct BatchKind {
  std::string text;    // "canary", "batch 2 of 3", ""
  bool outer = false;  // first or last of its part
};

std::vector<BatchKind> KindsOf(const engine::Plan& plan) {
  std::vector<BatchKind> kinds;
  for (const engine::Part& part : plan.parts) {
    if (part.hosts.empty()) {
      if (part.before.kind != engine::Gate::Kind::none) kinds.push_back({"", true});
      continue;
    }
    const engine::Share& canary = part.strategy.canary;
    const bool has_canary = canary.count > 0 || canary.percent > 0;
    const std::size_t batches =
        engine::BatchSizes(part.hosts.size(), canary, part.strategy.ramp).size();
    for (std::size_t i = 0; i < batches; ++i) {
      const bool outer = i == 0 || i + 1 == batches;
      if (has_canary && i == 0) {
        kinds.push_back({"canary", outer});
      } else {
        const std::size_t others = batches - (has_canary ? 1 : 0);
        kinds.push_back(
            {others == 1 ? "" : absl::StrCat("batch ", i + (has_canary ? 0 : 1), " of ", others),
             outer});
      }
    }
  }
  return kinds;
}

// How far every host has come when `step` of `batch` was issued to the whole batch.
engine::Reach ReachAt(const Schedule& forward, std::size_t batch, std::size_t step) {
  engine::Reach reach;
  for (std::size_t b = 0; b <= batch; ++b) {
    const std::size_t issued = b == batch ? step + 1 : forward.batches[b].steps.size();
    if (issued == 0) continue;
    for (const engine::Chain& chain : forward.batches[b].hosts) {
      reach[{static_cast<std::uint16_t>(b), chain.host}] = static_cast<std::uint16_t>(issued);
    }
  }
  return reach;
}

class Previewer {
 public:
  Previewer(const CompiledPlan& compiled, const Schedule& forward, v1::RolloutPreview& preview)
      : compiled_(compiled), forward_(forward), preview_(preview), kinds_(KindsOf(compiled.plan)) {}

  void AddBatches() {
    for (std::size_t b = 0; b < forward_.batches.size(); ++b) {
      const Batch& batch = forward_.batches[b];
      const engine::Phase& phase = forward_.phases[batch.phase];
      v1::PreviewBatch& shown = *preview_.add_batches();
      shown.set_phase(phase.name);
      for (const engine::StepIx step : batch.steps) shown.add_steps(forward_.steps[step].name);
      for (const engine::Chain& chain : batch.hosts) {
        shown.add_hosts(compiled_.targets[chain.host].id.text);
      }
      shown.set_gate(InWords(batch.before));
      SetDuration(WorstCase(forward_, batch), *shown.mutable_worst_case());
      shown.set_max_failed(static_cast<std::uint32_t>(phase.max_failed));
      shown.set_kind(b < kinds_.size() ? kinds_[b].text : "");
    }
    SetDuration(WorstCase(forward_), *preview_.mutable_worst_case());
  }

  void AddFailures() {
    std::size_t steps = 0;
    for (const Batch& batch : forward_.batches) steps += batch.steps.size();
    absl::Duration longest;
    for (std::size_t b = 0; b < forward_.batches.size(); ++b) {
      if (steps > kFailuresMax && b < kinds_.size() && !kinds_[b].outer) continue;
      for (std::size_t s = 0; s < forward_.batches[b].steps.size(); ++s) {
        longest = std::max(longest, AddFailure(b, s));
      }
    }
    SetDuration(longest, *preview_.mutable_worst_case_back());
  }

 private:
  absl::Duration AddFailure(std::size_t b, std::size_t s) {
    const Batch& batch = forward_.batches[b];
    const engine::Reach reach = ReachAt(forward_, b, s);
    const Schedule back = engine::Backward(forward_, compiled_.rollback, reach);
    v1::PreviewFailure& failure = *preview_.add_if_failed();
    failure.set_phase(forward_.phases[batch.phase].name);
    failure.set_step(forward_.steps[batch.steps[s]].name);
    failure.set_batch(static_cast<std::uint32_t>(b));
    for (const Batch& undone : back.batches) {
      for (const engine::StepIx step : undone.steps) {
        failure.add_undone(
            absl::StrCat(InWords(back.steps[step]), ": ", NamesOf(compiled_, undone.hosts)));
      }
    }
    const absl::Duration takes = WorstCase(back);
    SetDuration(takes, *failure.mutable_takes_at_most());
    failure.set_point_of_no_return(engine::PointOfNoReturn(forward_, reach).has_value());
    return takes;
  }

  const CompiledPlan& compiled_;
  const Schedule& forward_;
  v1::RolloutPreview& preview_;
  const std::vector<BatchKind> kinds_;
};

void AddPreviousVersions(const CompiledPlan& compiled, v1::RolloutPreview& preview) {
  std::map<std::string, int> hosts_by_version;
  for (const auto& [host, apps] : compiled.before) {
    for (const auto& [app, version] : apps) {
      const std::string& name = version.label.empty() ? version.on_disk : version.label;
      if (!name.empty()) ++hosts_by_version[name];
    }
  }
  std::vector<std::pair<int, std::string>> sorted;
  for (const auto& [version, hosts] : hosts_by_version) sorted.emplace_back(-hosts, version);
  std::sort(sorted.begin(), sorted.end());
  for (const auto& [unused, version] : sorted) preview.add_previous_versions(version);
}

// Tells two schedules apart: hosts in their order, and what each is asked to do.
std::string DigestOf(const CompiledPlan& compiled, const Schedule& forward) {
  Hasher hasher;
  for (const engine::Target& target : compiled.targets) {
    hasher.Update(absl::StrCat(target.id.text, "\n", target.vars.size(), "\n"));
    hasher.Update(target.vars);
  }
  for (const Step& step : forward.steps) {
    hasher.Update(absl::StrCat(step.name, "\n", step.payload.size(), "\n"));
    hasher.Update(step.payload);
  }
  for (const Batch& batch : forward.batches) {
    hasher.Update(absl::StrCat(batch.phase, " ", absl::StrJoin(batch.steps, ","), ":"));
    for (const engine::Chain& chain : batch.hosts) hasher.Update(absl::StrCat(chain.host, ","));
    hasher.Update("\n");
  }
  return hasher.Finish().ToString();
}

}  // namespace

absl::Duration WorstCase(const Schedule& schedule, const Batch& batch) {
  // How long people take is theirs; it says nothing of the rollout.
  absl::Duration total =
      batch.before.kind == engine::Gate::Kind::wait ? batch.before.within : absl::ZeroDuration();
  for (const engine::StepIx step : batch.steps) total += WorstCaseOf(schedule.steps[step]);
  return total;
}

absl::Duration WorstCase(const Schedule& schedule) {
  absl::Duration total;
  for (const Batch& batch : schedule.batches) total += WorstCase(schedule, batch);
  return total;
}

v1::RolloutPreview PreviewOf(const v1::Plan& plan, const v1::Release& release,
                             const CompiledPlan& compiled, const Schedule& forward) {
  v1::RolloutPreview preview;
  preview.set_plan(plan.name());
  preview.set_environment(plan.environment());
  preview.set_release(release.name());
  preview.set_version(release.version());
  preview.set_digest(release.digest());
  Previewer previewer(compiled, forward, preview);
  previewer.AddBatches();
  previewer.AddFailures();
  for (const LeftOutHost& left_out : compiled.left_out) {
    v1::LeftOut& shown = *preview.add_left_out();
    shown.set_host(left_out.host.text);
    shown.set_why(left_out.why);
  }
  for (const HostId& host : compiled.already_there) preview.add_hosts_already_there(host.text);
  AddPreviousVersions(compiled, preview);
  for (const plan::Problem& problem : compiled.problems) {
    *preview.add_warnings() = plan::ToProto(problem);
  }
  preview.set_schedule_digest(DigestOf(compiled, forward));
  return preview;
}

}  // namespace slipway::controller
