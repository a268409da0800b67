#include "controller/runner/runner_pool.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/status_macros.h"
#include "controller/journal/event_codec.h"
#include "controller/runner/outcome_of_rollout.h"

namespace slipway::controller {
namespace {

// Finished rollouts whose view is kept; older ones are replayed when somebody asks.
constexpr std::size_t kLastViews = 16;

absl::Status NoSuchRollout(const RolloutId& rollout) {
  return absl::NotFoundError(absl::StrCat("there is no rollout ", rollout.text));
}

RolloutSummary SummaryOf(const RolloutId& id, const engine::Planned& planned) {
  return {id, planned.at, planned.description, std::nullopt};
}

absl::Status HistoryWentBack(const RolloutId& rollout, const HostId& host, const Fence& fence) {
  return absl::DataLossError(absl::StrCat(
      "history went back: host ", host.text, " remembers record ", fence.sequence, " of epoch ",
      fence.epoch, " of rollout ", rollout.text,
      ", which this journal does not hold; restore the newest database before going on"));
}

}  // namespace

RunnerPool::RunnerPool(Store& store, const Clock& clock, Outbound& out, std::string holder,
                       RunnerOptions options)
    : house_{store, clock, out, std::move(holder), options} {}

RunnerPool::~RunnerPool() {
  std::map<RolloutId, Worker> workers;
  {
    MutexLock lock(mu_);
    workers.swap(workers_);
  }
  for (const auto& [id, worker] : workers) worker->Stop();
}

RolloutWorker::Calls RunnerPool::CallsOfWorker() {
  return {[this](RolloutWorker& worker) { AttachKnown(worker); },
          [this](const RolloutView& last) { Over(last); }};
}

void RunnerPool::AttachKnown(RolloutWorker& worker) {
  MutexLock lock(mu_);
  for (const HostId& host : attached_) {
    if (worker.Concerns(host)) worker.inbox().SetPresence(host, true);
  }
}

void RunnerPool::Over(const RolloutView& last) {
  MutexLock lock(mu_);
  summaries_.at(last.id).finished = last.state.finished;
  last_views_.push_back(std::make_shared<const RolloutView>(last));
  if (last_views_.size() > kLastViews) last_views_.pop_front();
  over_.push_back(last.id);
}

absl::Status RunnerPool::Recover() {
  SLIPWAY_ASSIGN_OR_RETURN(const std::vector<RolloutId> rollouts, house_.store.journal().List());
  for (const RolloutId& rollout : rollouts) SLIPWAY_RETURN_IF_ERROR(TakeUp(rollout));
  return FreeLeftLocks();
}

absl::Status RunnerPool::TakeUp(const RolloutId& rollout) {
  SLIPWAY_ASSIGN_OR_RETURN(const std::vector<Record> records,
                           house_.store.journal().Read(rollout, 1));
  RolloutSummary summary{rollout, absl::InfinitePast(), "", std::nullopt};
  const auto first = DecodeEvent(records.front().bytes);
  const auto last = DecodeEvent(records.back().bytes);
  if (first.ok() && std::holds_alternative<engine::Planned>(*first)) {
    summary = SummaryOf(rollout, std::get<engine::Planned>(*first));
  }
  if (last.ok() && std::holds_alternative<engine::Finished>(*last)) {
    summary.finished = std::get<engine::Finished>(*last);
  }
  const bool open = !summary.finished;
  MutexLock lock(mu_);
  order_.push_back(rollout);
  summaries_.emplace(rollout, std::move(summary));
  if (!open) return absl::OkStatus();
  // A rollout that this program cannot read gets a worker too, which says why it stands still.
  const auto worker = std::make_shared<RolloutWorker>(house_, rollout, nullptr, CallsOfWorker());
  workers_.emplace(rollout, worker);
  worker->Start();
  return absl::OkStatus();
}

// A crash between a rollout's last event and the release of its locks.
absl::Status RunnerPool::FreeLeftLocks() {
  SLIPWAY_ASSIGN_OR_RETURN(const std::vector<HostLock> locks, house_.store.registry().ListLocks());
  std::set<RolloutId> left;
  for (const HostLock& lock : locks) {
    if (IsOver(lock.rollout)) left.insert(lock.rollout);
  }
  for (const RolloutId& rollout : left) {
    SLIPWAY_ASSIGN_OR_RETURN(const auto view, View(rollout));
    SLIPWAY_RETURN_IF_ERROR(house_.store.registry().PutWanted(WantedAfter(rollout, view->state)));
    SLIPWAY_RETURN_IF_ERROR(house_.store.registry().ReleaseLocks(rollout));
  }
  return absl::OkStatus();
}

absl::Status RunnerPool::Create(NewRollout rollout, engine::Planned planned) {
  Reap();
  planned.at = WholeMicroseconds(planned.at);
  engine::State probe;
  engine::Apply(probe, planned);
  if (std::string broken = engine::BrokenInvariant(probe); !broken.empty()) {
    return absl::InternalError(absl::StrCat("rollout ", rollout.id.text, " is refused: ", broken));
  }
  rollout.hosts.clear();
  for (const engine::Target& target : planned.hosts) rollout.hosts.push_back(target.id);
  rollout.first_record = EncodeEvent(planned);
  SLIPWAY_ASSIGN_OR_RETURN(Lease lease, house_.store.CreateRollout(rollout));

  RolloutSummary summary = SummaryOf(rollout.id, planned);
  SLIPWAY_ASSIGN_OR_RETURN(
      std::unique_ptr<RolloutRunner> runner,
      RolloutRunner::Created(rollout.id, house_.holder, std::move(planned), std::move(lease),
                             house_.store.journal(), house_.out));
  const auto worker =
      std::make_shared<RolloutWorker>(house_, rollout.id, std::move(runner), CallsOfWorker());
  {
    MutexLock lock(mu_);
    order_.push_back(rollout.id);
    summaries_.emplace(rollout.id, std::move(summary));
    workers_.emplace(rollout.id, worker);
  }
  AttachKnown(*worker);
  worker->Start();
  return absl::OkStatus();
}

void RunnerPool::Reap() {
  std::vector<Worker> ended;  // joined when the lock is free again
  MutexLock lock(mu_);
  for (const RolloutId& rollout : over_) {
    const auto found = workers_.find(rollout);
    if (found == workers_.end()) continue;
    ended.push_back(std::move(found->second));
    workers_.erase(found);
  }
  over_.clear();
}

RunnerPool::Worker RunnerPool::Find(const RolloutId& rollout) const {
  MutexLock lock(mu_);
  const auto found = workers_.find(rollout);
  return found == workers_.end() ? nullptr : found->second;
}

std::vector<RunnerPool::Worker> RunnerPool::WorkersOf(const HostId& host) const {
  MutexLock lock(mu_);
  std::vector<Worker> workers;
  for (const auto& [id, worker] : workers_) {
    if (worker->Concerns(host)) workers.push_back(worker);
  }
  return workers;
}

bool RunnerPool::IsOver(const RolloutId& rollout) const {
  MutexLock lock(mu_);
  const auto found = summaries_.find(rollout);
  return found != summaries_.end() && found->second.finished.has_value();
}

bool RunnerPool::Knows(const RolloutId& rollout) const {
  MutexLock lock(mu_);
  return summaries_.contains(rollout);
}

// Presence is set under the lock, so that a worker that asks who is attached hears of this either
// there or in its inbox.
void RunnerPool::Attached(const HostId& host) {
  MutexLock lock(mu_);
  attached_.insert(host);
  for (const auto& [id, worker] : workers_) {
    if (worker->Concerns(host)) worker->inbox().SetPresence(host, true);
  }
}

void RunnerPool::Lost(const HostId& host) {
  MutexLock lock(mu_);
  attached_.erase(host);
  for (const auto& [id, worker] : workers_) {
    if (worker->Concerns(host)) worker->inbox().SetPresence(host, false);
  }
}

void RunnerPool::Answered(const HostId& host, Answer answer) {
  const CommandId id = answer.id;
  if (id.host != host) {
    log::Warn("answer in another host's name dropped",
              {{"host", host.text}, {"command", ToString(id)}});
    return;
  }
  const Worker worker = Find(id.rollout);
  if (worker != nullptr && worker->inbox().Push(std::move(answer))) return;
  // Of a rollout that is over nothing can change; elsewhere the agent keeps its answer.
  if (!IsOver(id.rollout)) return;
  house_.out.Acknowledge(host, id);
  house_.out.Closed(host, id.rollout);
}

void RunnerPool::Sighted(const HostId& host, Observed observed) {
  for (const Worker& worker : WorkersOf(host)) worker->inbox().SetSighting(host, observed);
}

void RunnerPool::Tripped(const HostId& host, std::string reason) {
  for (const Worker& worker : WorkersOf(host)) {
    if (worker->inbox().Push(Inbox::Trip{host, reason})) continue;
    log::Warn("health trigger dropped: the rollout's inbox is full or closed",
              {{"rollout", worker->id().text}, {"host", host.text}});
  }
}

absl::Status RunnerPool::Remembers(const HostId& host, const RolloutId& rollout,
                                   const Fence& fence) {
  if (!Knows(rollout)) return HistoryWentBack(rollout, host, fence);
  if (IsOver(rollout)) {
    house_.out.Closed(host, rollout);
    return absl::OkStatus();
  }
  SLIPWAY_ASSIGN_OR_RETURN(const std::vector<Record> records,
                           house_.store.journal().Read(rollout, fence.sequence));
  const bool holds = !records.empty() && records.front().sequence == fence.sequence &&
                     records.front().head == fence.head;
  if (holds) return absl::OkStatus();
  absl::Status went_back = HistoryWentBack(rollout, host, fence);
  log::Error("journal went back in time", {{"error", went_back.ToString()}});
  if (const Worker worker = Find(rollout)) worker->Halt(std::string(went_back.message()));
  return went_back;
}

absl::Status RunnerPool::Steer(const RolloutId& rollout, engine::Verb verb,
                               std::vector<HostId> hosts) {
  const Worker worker = Find(rollout);
  if (worker != nullptr) {
    const auto call = std::make_shared<VerbCall>(std::move(verb), std::move(hosts));
    if (worker->inbox().Push(call)) return call->Wait();
  }
  if (worker != nullptr) return worker->NotDriven();
  if (!IsOver(rollout)) return NoSuchRollout(rollout);
  return absl::FailedPreconditionError(absl::StrCat(
      "rollout ", rollout.text, " is over; deploy again, with --hosts for some of its hosts only"));
}

absl::StatusOr<std::shared_ptr<const RolloutView>> RunnerPool::View(const RolloutId& rollout) {
  if (const Worker worker = Find(rollout)) {
    if (auto view = worker->View()) return view;
  }
  {
    MutexLock lock(mu_);
    for (const auto& view : last_views_) {
      if (view->id == rollout) return view;
    }
  }
  SLIPWAY_ASSIGN_OR_RETURN(const std::vector<Record> records,
                           house_.store.journal().Read(rollout, 1));
  if (records.empty()) return NoSuchRollout(rollout);
  SLIPWAY_ASSIGN_OR_RETURN(engine::State state, ReplayRecords(rollout, records));
  const Worker worker = Find(rollout);
  return std::make_shared<const RolloutView>(
      RolloutView{rollout,
                  std::move(state),
                  {},
                  records.back().sequence,
                  0,
                  worker == nullptr ? "" : worker->Trouble()});
}

std::vector<RolloutSummary> RunnerPool::List() const {
  MutexLock lock(mu_);
  std::vector<RolloutSummary> summaries;
  for (auto id = order_.rbegin(); id != order_.rend(); ++id) {
    summaries.push_back(summaries_.at(*id));
  }
  return summaries;
}

absl::StatusOr<std::unique_ptr<Subscription>> RunnerPool::Subscribe(const RolloutId& rollout,
                                                                    std::uint64_t from) {
  Journal& journal = house_.store.journal();
  if (const Worker worker = Find(rollout)) return worker->feed().Subscribe(from, journal);
  if (!Knows(rollout)) return NoSuchRollout(rollout);
  EventFeed ended(rollout, 1, std::numeric_limits<std::uint64_t>::max());
  ended.Close();
  return ended.Subscribe(from, journal);
}

std::vector<std::shared_ptr<const RolloutView>> RunnerPool::Open() const {
  MutexLock lock(mu_);
  std::vector<std::shared_ptr<const RolloutView>> views;
  for (const auto& [id, worker] : workers_) {
    std::shared_ptr<const RolloutView> view = worker->View();
    if (view == nullptr || !view->state.finished) views.push_back(std::move(view));
  }
  return views;
}

std::string RunnerPool::Degraded() const {
  if (std::string trouble = house_.store.Trouble(); !trouble.empty()) {
    return absl::StrCat("storage: ", trouble);
  }
  MutexLock lock(mu_);
  for (const auto& [id, worker] : workers_) {
    if (std::string trouble = worker->Trouble(); trouble.rfind("storage: ", 0) == 0) {
      return trouble;
    }
  }
  return "";
}

}  // namespace slipway::controller
