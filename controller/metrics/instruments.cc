#include "controller/metrics/instruments.h"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <initializer_list>
#include <string_view>

#include "common/overloaded.h"

namespace slipway::controller {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;
using prometheus::Registry;

// A flush takes a millisecond on a good disk and seconds on a bad day.
const Histogram::BucketBoundaries kAppendSeconds = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                    0.1,    0.25,  0.5,    1,     2.5,  5,     10};
// From a noop to a long migration.
const Histogram::BucketBoundaries kTaskSeconds = {0.1, 0.5, 1,   2.5, 5,    10,  30,
                                                  60,  120, 300, 600, 1800, 3600};

Family<Counter>& Count(Registry& registry, const std::string& name, const std::string& help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

std::string Word(engine::Result result) {
  switch (result) {
    case engine::Result::succeeded:
      return "succeeded";
    case engine::Result::rolled_back:
      return "rolled_back";
    case engine::Result::needs_person:
      return "needs_person";
    case engine::Result::aborted:
      return "aborted";
  }
  return "needs_person";
}

std::string Way(const engine::TaskId& task) {
  return task.course == Course::forward ? "forward" : "back";
}

}  // namespace

struct Instruments::Families {
  explicit Families(Registry& registry)
      : started(Count(registry, "slipway_rollouts_started_total",
                      "Rollouts begun since the controller started.")
                    .Add({})),
        finished(Count(registry, "slipway_rollouts_finished_total",
                       "Rollouts that came to their end, by how.")),
        turned_back(Count(registry, "slipway_rollbacks_total",
                          "Rollouts that turned back, by themselves or because a person said so.")),
        held(Count(registry, "slipway_holds_total",
                   "Times that a rollout was held, by what holds it.")),
        attempts(Count(registry, "slipway_task_attempts_total",
                       "Attempts of a step on a host, by action and way.")),
        tasks(Count(registry, "slipway_tasks_total",
                    "Steps on a host that came to their outcome, by action, way and outcome.")),
        task_seconds(prometheus::BuildHistogram()
                         .Name("slipway_task_duration_seconds")
                         .Help("From the first attempt of a step on a host to its outcome.")
                         .Register(registry)),
        append_seconds(prometheus::BuildHistogram()
                           .Name("slipway_journal_append_duration_seconds")
                           .Help("Appends to the journal, from the call until they are durable.")
                           .Register(registry)
                           .Add({}, kAppendSeconds)),
        append_failures(Count(registry, "slipway_journal_append_failures_total",
                              "Appends that the storage refused; the rollout waits.")
                            .Add({})),
        records(Count(registry, "slipway_journal_records_total", "Events that were made durable.")
                    .Add({})),
        appending(prometheus::BuildGauge()
                      .Name("slipway_journal_appends_waiting")
                      .Help("Appends that wait for the disk right now.")
                      .Register(registry)
                      .Add({})),
        attached(Count(registry, "slipway_agent_sessions_attached_total",
                       "Sessions of agents that came up.")
                     .Add({})),
        reattached(Count(registry, "slipway_agent_sessions_reattached_total",
                         "Those among them of hosts that had been attached before.")
                       .Add({})),
        lost(Count(registry, "slipway_agent_sessions_lost_total",
                   "Sessions of agents that broke or fell silent.")
                 .Add({})),
        answers(Count(registry, "slipway_agent_answers_total",
                      "Answers that came from agents, repeated ones too, by verdict.")),
        commands(Count(registry, "slipway_agent_commands_total",
                       "Commands that were handed to agents' sessions, repeated ones too.")
                     .Add({})) {
    // A counter that is not there yet cannot be alerted on.
    using engine::Result;
    for (const Result result :
         {Result::succeeded, Result::rolled_back, Result::needs_person, Result::aborted}) {
      finished.Add({{"result", Word(result)}});
    }
    for (const char* automatic : {"true", "false"}) turned_back.Add({{"automatic", automatic}});
    using Why = engine::Hold::Why;
    for (const Why why : {Why::paused, Why::gate, Why::brake, Why::needs_person}) {
      held.Add({{"why", std::string(engine::Word(why))}});
    }
    for (const Verdict verdict : {Verdict::succeeded, Verdict::failed, Verdict::timed_out,
                                  Verdict::unknown, Verdict::not_applied, Verdict::try_later}) {
      answers.Add({{"verdict", std::string(ToString(verdict))}});
    }
  }

  Counter& started;
  Family<Counter>&finished, &turned_back, &held, &attempts, &tasks;
  Family<Histogram>& task_seconds;
  Histogram& append_seconds;
  Counter &append_failures, &records;
  Gauge& appending;
  Counter &attached, &reattached, &lost;
  Family<Counter>& answers;
  Counter& commands;
};

Instruments::Instruments(Registry& registry) : families_(std::make_unique<Families>(registry)) {}
Instruments::~Instruments() = default;

void Instruments::Appended(const engine::State& state, const std::vector<engine::Event>& events) {
  const auto count = Overloaded{
      [&](const engine::TaskIssued& e) {
        const std::string& action = engine::StepOf(state, e.task).action;
        families_->attempts.Add({{"action", action}, {"way", Way(e.task)}}).Increment();
      },
      [&](const engine::TaskEnded& e) {
        if (e.again_at) return;  // not over
        const std::string& action = engine::StepOf(state, e.task).action;
        families_->tasks
            .Add({{"action", action},
                  {"outcome", std::string(ToString(e.outcome))},
                  {"way", Way(e.task)}})
            .Increment();
        const auto task = state.tasks.find(e.task);
        if (e.attempt == 0 || task == state.tasks.end()) return;  // never issued
        families_->task_seconds.Add({{"action", action}, {"way", Way(e.task)}}, kTaskSeconds)
            .Observe(absl::ToDoubleSeconds(e.at - task->second.first_issued_at));
      },
      [&](const engine::TurnedBack& e) {
        families_->turned_back.Add({{"automatic", e.automatic ? "true" : "false"}}).Increment();
      },
      [&](const engine::Held& e) {
        families_->held.Add({{"why", std::string(engine::Word(e.hold.why))}}).Increment();
      },
      [&](const engine::Finished& e) {
        families_->finished.Add({{"result", Word(e.result)}}).Increment();
      },
      [](const auto&) {}};
  for (const engine::Event& event : events) std::visit(count, event);
}

void Instruments::Started() {
  families_->started.Increment();
}

void Instruments::AppendBegan() {
  families_->appending.Increment();
}

void Instruments::AppendEnded(absl::Duration took, const absl::Status& status,
                              std::size_t records) {
  families_->appending.Decrement();
  families_->append_seconds.Observe(absl::ToDoubleSeconds(took));
  if (status.ok()) {
    families_->records.Increment(static_cast<double>(records));
  } else {
    families_->append_failures.Increment();
  }
}

void Instruments::Attached(const HostId& host) {
  families_->attached.Increment();
  MutexLock lock(mu_);
  if (!seen_.insert(host).second) families_->reattached.Increment();
}

void Instruments::Lost() {
  families_->lost.Increment();
}

void Instruments::Answered(Verdict verdict) {
  families_->answers.Add({{"verdict", std::string(ToString(verdict))}}).Increment();
}

void Instruments::Sent() {
  families_->commands.Increment();
}

}  // namespace slipway::controller
