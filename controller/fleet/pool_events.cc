#include "controller/fleet/pool_events.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log.h"

namespace slipway::controller {
namespace {

// Several events for each host of the largest fleet. An answer that finds the queue full is sent
// again by its agent.
constexpr std::size_t kQueueMax = 200'000;
constexpr absl::Duration kIdle = absl::Seconds(1);

}  // namespace

PoolEvents::PoolEvents(Registry& registry, const Clock& clock)
    : registry_(registry), clock_(clock), queue_(kQueueMax) {}

void PoolEvents::Start(RunnerPool& pool) {
  thread_ = std::thread([this, &pool] { Run(pool); });
}

void PoolEvents::Stop() {
  queue_.Close();
  if (thread_.joinable()) thread_.join();
}

void PoolEvents::Run(RunnerPool& pool) {
  for (;;) {
    auto event = queue_.Pop(marks_.empty() ? kIdle : absl::ZeroDuration());
    if (event) {
      (*event)(pool);
      continue;
    }
    WriteMarks();
    if (queue_.drained()) return;
  }
}

// When nothing else is to be done: each is a transaction.
void PoolEvents::WriteMarks() {
  for (const auto& [host, at] : marks_) {
    const absl::Status status = registry_.MarkSeen(host, at);
    if (!status.ok()) {
      log::Warn("cannot note when a host was seen",
                {{"host", host.text}, {"why", std::string(status.message())}});
      break;
    }
  }
  marks_.clear();
}

void PoolEvents::Push(Event event) {
  if (!queue_.Push(std::move(event))) log::Error("events of agents are lost: too many wait");
}

void PoolEvents::Attached(const HostId& host) {
  Push([this, host, now = clock_.Now()](RunnerPool& pool) {
    pool.Attached(host);
    marks_[host] = now;
  });
}

void PoolEvents::Lost(const HostId& host) {
  Push([this, host, now = clock_.Now()](RunnerPool& pool) {
    pool.Lost(host);
    marks_[host] = now;
  });
}

void PoolEvents::Answered(const Answer& answer) {
  Push([answer](RunnerPool& pool) { pool.Answered(answer.id.host, answer); });
}

void PoolEvents::Refused(const CommandId& id, bool again, const std::string& text) {
  Answer answer;
  answer.id = id;
  answer.verdict = again ? Verdict::try_later : Verdict::failed;
  answer.message = absl::StrCat("the agent did not take it: ", text);
  Answered(answer);
}

void PoolEvents::Sighted(const HostId& host, const Observed& observed) {
  Push([host, observed](RunnerPool& pool) { pool.Sighted(host, observed); });
}

void PoolEvents::Witnessed(const HostId& host, const RolloutId& rollout, const Fence& fence) {
  Push([host, rollout, fence](RunnerPool& pool) {
    const absl::Status status = pool.Remembers(host, rollout, fence);
    if (status.ok()) return;
    log::Error(
        "a host remembers more than the journal",
        {{"host", host.text}, {"rollout", rollout.text}, {"why", std::string(status.message())}});
  });
}

}  // namespace slipway::controller
