#include "controller/engine/schedule.h"

#include <algorithm>

namespace slipway::engine {
namespace {

// splitmix64: the order must be the same on every machine and in every release, which neither
// std::shuffle nor std::hash promises.
std::uint64_t Mix(std::uint64_t seed, HostIx host) {
  std::uint64_t z = seed + (host + 1) * 0x9E3779B97F4A7C15ULL;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

// Sorted by a hash of seed and host, a host has the same place in every part that it belongs
// to: the canary of one phase is the canary of the next.
std::vector<HostIx> Shuffled(std::vector<HostIx> hosts, std::uint64_t seed) {
  std::sort(hosts.begin(), hosts.end(), [seed](HostIx a, HostIx b) {
    return std::pair(Mix(seed, a), a) < std::pair(Mix(seed, b), b);
  });
  return hosts;
}

bool IsNone(const Share& share) {
  return share.count == 0 && share.percent == 0;
}

std::size_t SizeOf(const Share& share, std::size_t group) {
  const std::size_t wanted = share.percent > 0
                                 ? group * static_cast<std::size_t>(share.percent) / 100
                                 : static_cast<std::size_t>(std::max(share.count, 0));
  return std::max<std::size_t>(wanted, 1);
}

std::vector<StepIx> AppendSteps(Schedule& schedule, const std::vector<Step>& steps) {
  std::vector<StepIx> positions;
  for (const Step& step : steps) {
    positions.push_back(static_cast<StepIx>(schedule.steps.size()));
    schedule.steps.push_back(step);
  }
  return positions;
}

// The part's own steps, then the bake: each is stored once, however many batches use it.
std::vector<StepIx> WithBake(Schedule& schedule, std::vector<StepIx> steps,
                             const std::optional<Step>& bake) {
  if (bake) {
    const std::vector<StepIx> position = AppendSteps(schedule, {*bake});
    steps.push_back(position.front());
  }
  return steps;
}

void AppendPart(Schedule& schedule, const Part& part, std::uint64_t seed) {
  if (part.hosts.empty()) {
    // Steps that no host runs are gates; a part without either is nothing.
    if (part.before.kind != Gate::Kind::none) {
      schedule.batches.push_back({part.phase, {}, {}, part.before});
    }
    return;
  }
  const std::vector<HostIx> hosts = Shuffled(part.hosts, seed);
  const Strategy& strategy = part.strategy;
  const std::vector<std::size_t> sizes = BatchSizes(hosts.size(), strategy.canary, strategy.ramp);
  const std::vector<StepIx> own = AppendSteps(schedule, part.steps);
  const bool has_canary = !IsNone(strategy.canary);
  const bool has_others = sizes.size() > (has_canary ? 1u : 0u);
  std::vector<StepIx> canary_steps, other_steps;
  if (has_canary) canary_steps = WithBake(schedule, own, strategy.canary_bake);
  if (has_others) other_steps = WithBake(schedule, own, strategy.bake);

  std::size_t taken = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    Batch batch;
    batch.phase = part.phase;
    batch.steps = has_canary && i == 0 ? canary_steps : other_steps;
    if (i == 0) batch.before = part.before;
    for (std::size_t n = 0; n < sizes[i]; ++n) batch.hosts.push_back({hosts[taken++], 0});
    schedule.batches.push_back(std::move(batch));
  }
}

}  // namespace

std::vector<std::size_t> BatchSizes(std::size_t group, const Share& canary,
                                    const std::vector<Share>& ramp) {
  std::vector<std::size_t> sizes;
  std::size_t left = group;
  const auto take = [&](std::size_t wanted) {
    sizes.push_back(std::min(wanted, left));
    left -= sizes.back();
  };
  if (left > 0 && !IsNone(canary)) take(SizeOf(canary, group));
  std::size_t entry = 0;
  while (left > 0) {
    take(ramp.empty() ? left : SizeOf(ramp[std::min(entry, ramp.size() - 1)], group));
    ++entry;
  }
  return sizes;
}

Schedule Forward(const Plan& plan, std::uint64_t seed) {
  Schedule schedule;
  schedule.phases = plan.phases;
  for (const Part& part : plan.parts) AppendPart(schedule, part, seed);
  return schedule;
}

}  // namespace slipway::engine
