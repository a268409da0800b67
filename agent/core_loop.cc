#include "agent/core_loop.h"

#include <algorithm>
#include <utility>

#include "common/log.h"
#include "common/overloaded.h"

namespace slipway::agent {
namespace {

constexpr std::size_t kInboxMax = 65'536;
constexpr std::size_t kBatchMax = 1'024;
constexpr absl::Duration kWait = absl::Seconds(5);
// An answer that the controller did not take (it may be short of disk) is said again.
constexpr absl::Duration kSayAgain = absl::Seconds(10);

}  // namespace

CoreLoop::CoreLoop(const Clock& clock, Calls calls)
    : clock_(clock), calls_(std::move(calls)), inbox_(kInboxMax) {}

void CoreLoop::Start(TaskRunner& runner) {
  Publish(runner);
  thread_ = std::thread([this, &runner] { Run(runner); });
}

void CoreLoop::Stop() {
  inbox_.Close();
  if (thread_.joinable()) thread_.join();
}

void CoreLoop::Hear(Input input) {
  if (!inbox_.Push(std::move(input))) log::Error("the core does not keep up; a message is dropped");
}

void CoreLoop::Connected() {
  (void)inbox_.Push(Presence{true});
}
void CoreLoop::Disconnected() {
  (void)inbox_.Push(Presence{false});
}

void CoreLoop::Run(TaskRunner& runner) {
  for (;;) {
    std::vector<Input> inputs;
    bool came = false;
    // Everything that waits goes into one batch and shares one sync.
    for (auto message = inbox_.Pop(kWait); message; message = inbox_.Pop(absl::ZeroDuration())) {
      std::visit(Overloaded{[&](Input& input) { inputs.push_back(std::move(input)); },
                            [&](const Presence& presence) {
                              connected_ = presence.connected;
                              came = came || presence.connected;
                            }},
                 *message);
      if (inputs.size() >= kBatchMax) break;
    }
    if (!inputs.empty() && !Pump(runner, inputs)) return;
    if (came) {
      runner.Connected();
      said_at_ = clock_.Monotonic();
    }
    SayAgainWhenDue(runner);
    calls_.turned(connected_);
    if (inbox_.drained()) return;
  }
}

bool CoreLoop::Pump(TaskRunner& runner, std::vector<Input>& inputs) {
  const absl::Status status = runner.Pump(inputs);
  if (!status.ok()) {
    calls_.fatal(status);
    return false;
  }
  Publish(runner);
  for (const Input& input : inputs) {
    const auto* closed = std::get_if<RolloutClosed>(&input);
    if (closed != nullptr) calls_.closed(closed->rollout, runner.state());
  }
  return true;
}

void CoreLoop::SayAgainWhenDue(TaskRunner& runner) {
  const absl::Duration now = clock_.Monotonic();
  if (!connected_ || runner.state().outbox.empty() || now - said_at_ < kSayAgain) return;
  runner.Connected();
  said_at_ = now;
}

void CoreLoop::Publish(const TaskRunner& runner) {
  Snapshot snapshot;
  snapshot.witnesses = runner.Witnesses();
  const State& state = runner.state();
  snapshot.running.assign(state.waiting.begin(), state.waiting.end());
  if (state.current) snapshot.running.push_back(*state.current);
  snapshot.outbox = state.outbox.size();
  snapshot.log_bytes = runner.log_bytes();
  MutexLock lock(mu_);
  snapshot_ = std::move(snapshot);
}

CoreLoop::Snapshot CoreLoop::Now() const {
  MutexLock lock(mu_);
  return snapshot_;
}

bool CoreLoop::IsRunning(const CommandId& id) const {
  MutexLock lock(mu_);
  return std::find(snapshot_.running.begin(), snapshot_.running.end(), id) !=
         snapshot_.running.end();
}

}  // namespace slipway::agent
