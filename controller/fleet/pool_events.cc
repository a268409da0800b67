#include "controller/fleet/pool_events.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/status_macros.h"
#include "controller/fleet/last_report.h"

namespace slipway::controller {
namespace {

// Several events for each host of the largest fleet. An answer that finds the queue full is sent
// again by its agent.
constexpr std::size_t kQueueMax = 200'000;
constexpr absl::Duration kIdle = absl::Seconds(1);

}  // namespace

PoolEvents::PoolEvents(Registry& registry, const FleetView& view, const Clock& clock)
    : registry_(registry), view_(view), clock_(clock), queue_(kQueueMax) {}

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
    if (!marks_.empty()) {
      WriteMark();
    } else if (queue_.drained()) {
      return;
    }
  }
}

// One of them, when nothing else is to be done: each is a transaction.
void PoolEvents::WriteMark() {
  const auto mark = marks_.extract(marks_.begin());
  const absl::Status status = Write(mark.key(), mark.mapped());
  if (status.ok()) return;
  log::Warn("cannot note what was seen of a host",
            {{"host", mark.key().text}, {"why", std::string(status.message())}});
  marks_.clear();  // each would say the same
}

absl::Status PoolEvents::Write(const HostId& host, const Mark& mark) {
  const auto live = view_.Find(host);
  std::string report = live ? EncodeLastReport(*live) : "";
  if (report == reports_[host]) report.clear();
  if (!mark.turned && report.empty()) return absl::OkStatus();
  SLIPWAY_RETURN_IF_ERROR(registry_.MarkSeen(host, mark.at, report));
  if (!report.empty()) reports_[host] = std::move(report);
  return absl::OkStatus();
}

void PoolEvents::Push(Event event) {
  if (!queue_.Push(std::move(event))) log::Error("events of agents are lost: too many wait");
}

void PoolEvents::Attached(const HostId& host) {
  Push([this, host, now = clock_.Now()](RunnerPool& pool) {
    pool.Attached(host);
    Turned(host, now);
  });
}

void PoolEvents::Lost(const HostId& host) {
  Push([this, host, now = clock_.Now()](RunnerPool& pool) {
    pool.Lost(host);
    Turned(host, now);
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
  Push([this, host, observed, now = clock_.Now()](RunnerPool& pool) {
    pool.Sighted(host, observed);
    marks_[host].at = now;
  });
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
