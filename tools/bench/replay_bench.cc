// Drives a rollout of 10,000 hosts x 6 steps through the real engine, then replays its journal.
//
// Prints one line a figure: decisions with their events, encoding, and replay (decode and apply),
// in events a second on one core. Replay is what a restart of the controller waits for.

#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/clock.h"
#include "controller/engine/engine.h"
#include "controller/journal/event_codec.h"

namespace slipway {
namespace {

using engine::Event;

constexpr int kHosts = 10'000;
constexpr int kSteps = 6;

engine::Planned MakePlanned(absl::Time at) {
  engine::Planned planned;
  planned.at = at;
  engine::Plan plan;
  engine::Part part;
  for (int h = 0; h < kHosts; ++h) {
    planned.hosts.push_back({HostId{absl::StrCat("host-", h)}, "port=8080", {}});
    part.hosts.push_back(static_cast<engine::HostIx>(h));
  }
  for (int s = 0; s < kSteps; ++s) {
    engine::Step step;
    step.name = absl::StrCat("step ", s);
    step.action = "run";
    step.payload = std::string(200, 'x');
    step.traits.undo = engine::Undo::built_in;
    step.traits.disruptive = s > 1;
    part.steps.push_back(step);
  }
  plan.phases.push_back({"backend", 0, absl::ZeroDuration()});
  part.strategy.canary = {1, 0};
  part.strategy.ramp = {{0, 25}};
  plan.parts.push_back(std::move(part));
  planned.forward = engine::Forward(plan, 1);
  return planned;
}

class Rate {
 public:
  explicit Rate(const char* name) : name_(name), start_(SystemClock().Monotonic()) {}
  void Print(std::size_t events) const {
    const double seconds = absl::ToDoubleSeconds(SystemClock().Monotonic() - start_);
    std::printf("%-22s %9zu events  %7.3f s  %10.0f events/s\n", name_, events, seconds,
                static_cast<double>(events) / seconds);
  }

 private:
  const char* const name_;
  const absl::Duration start_;
};

// Every host is there and every attempt succeeds.
std::vector<Event> Live(engine::State& state) {
  std::vector<Event> events;
  engine::Presence presence;
  absl::Time now = absl::FromUnixSeconds(1'700'000'000);
  events.emplace_back(MakePlanned(now));
  engine::Apply(state, events.back());
  const Rate rate("decide");
  for (int h = 0; h < kHosts; ++h) {
    (void)engine::Decide(state, presence, engine::Attached{now, static_cast<engine::HostIx>(h)},
                         events);
  }
  (void)engine::Decide(state, presence, engine::Tick{now}, events);
  while (!engine::Outstanding(state).empty()) {
    const std::vector<engine::TaskId> open(engine::Outstanding(state).begin(),
                                           engine::Outstanding(state).end());
    for (const engine::TaskId& task : open) {
      now += absl::Microseconds(10);
      engine::Reported report;
      report.now = now;
      report.task = task;
      report.attempt = 1;
      report.verdict = Verdict::succeeded;
      (void)engine::Decide(state, presence, report, events);
    }
  }
  rate.Print(events.size());
  return events;
}

int Main() {
  engine::State live;
  const std::vector<Event> events = Live(live);
  if (!live.finished) {
    std::fprintf(stderr, "the rollout did not end\n");
    return 1;
  }
  std::vector<std::string> journal;
  {
    const Rate rate("encode");
    for (const Event& event : events) journal.push_back(controller::EncodeEvent(event));
    rate.Print(journal.size());
  }
  engine::State replayed;
  {
    const Rate rate("replay");
    for (const std::string& bytes : journal) {
      const auto event = controller::DecodeEvent(bytes);
      if (!event.ok()) {
        std::fprintf(stderr, "%s\n", std::string(event.status().message()).c_str());
        return 1;
      }
      engine::Apply(replayed, *event);
    }
    rate.Print(journal.size());
  }
  if (!(replayed == live)) {
    std::fprintf(stderr, "replay differs from live\n");
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace slipway

int main() {
  return slipway::Main();
}
