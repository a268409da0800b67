// Every rollout that is open, each on a worker of its own; the only door to them.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "controller/runner/rollout_worker.h"

namespace slipway::controller {

// Thread-safe. Store, clock and outbound outlive the pool. `Outbound` is called from the workers'
// threads, at most one thread for a rollout, and must not call back into the pool.
class RunnerPool {
 public:
  // `holder` names this controller process: random, new for each start.
  RunnerPool(Store& store, const Clock& clock, Outbound& out, std::string holder,
             RunnerOptions options = {});
  // Stops all workers after the batch that they are pumping. A crash loses no more than this does.
  ~RunnerPool();

  // Takes up every open rollout and frees what finished ones left locked. Call once, before
  // anything else; it returns before the workers have replayed. Errors: those of Journal::Read
  // and Registry.
  absl::Status Recover();

  // Begins a rollout: `rollout.hosts` and `rollout.first_record` are filled in from `planned`.
  // Durable when it returns. Errors: those of Store::CreateRollout; INTERNAL when the plan breaks
  // an invariant (nothing was written).
  absl::Status Create(NewRollout rollout, engine::Planned planned);

  // --- What agents' sessions say ---

  // The host's session is up: what is open on it is sent (again). May repeat.
  void Attached(const HostId& host);
  void Lost(const HostId& host);
  // An answer of `host`, as often as it comes. It is acknowledged through Outbound when it is
  // durable; an answer in another host's name is dropped.
  void Answered(const HostId& host, Answer answer);
  // What the host looks like, outside any task.
  void Sighted(const HostId& host, Observed observed);
  // A health or watch trigger fired.
  void Tripped(const HostId& host, std::string reason);
  // The host's agent remembers the rollout at this place of its history (hello). It is told to
  // forget a rollout that is over.
  //
  // DATA_LOSS when the journal does not hold that place, so that it went back in time: the rollout
  // is driven no more (RolloutView::trouble says so). UNAVAILABLE, RESOURCE_EXHAUSTED: not checked.
  absl::Status Remembers(const HostId& host, const RolloutId& rollout, const Fence& fence);

  // --- What people say and see ---

  // Returns the engine's verdict once it is durable. `verb.now` and `verb.hosts` are filled in;
  // `hosts` empty means all that the verb makes sense for.
  // Errors: NOT_FOUND (rollout or host), FAILED_PRECONDITION (it makes no sense now),
  // RESOURCE_EXHAUSTED or UNAVAILABLE (the storage is degraded: try again).
  absl::Status Steer(const RolloutId& rollout, engine::Verb verb, std::vector<HostId> hosts);

  // The rollout as it was at most a fraction of a second ago; after a verb, with that verb. Also of
  // finished rollouts. Errors: NOT_FOUND; those of Journal::Read.
  absl::StatusOr<std::shared_ptr<const RolloutView>> View(const RolloutId& rollout);
  // Newest first.
  std::vector<RolloutSummary> List() const;
  // Events from sequence number `from` on, then live. Errors: NOT_FOUND; those of Journal::Read.
  absl::StatusOr<std::unique_ptr<Subscription>> Subscribe(const RolloutId& rollout,
                                                          std::uint64_t from);
  // Every rollout that is open; null for one that is still being replayed.
  std::vector<std::shared_ptr<const RolloutView>> Open() const;
  // "" or why the controller cannot write ("storage: …"). Heals by itself.
  std::string Degraded() const;

 private:
  using Worker = std::shared_ptr<RolloutWorker>;

  RolloutWorker::Calls CallsOfWorker();
  void AttachKnown(RolloutWorker& worker);
  void Over(const RolloutView& last);
  absl::Status TakeUp(const RolloutId& rollout);
  absl::Status FreeLeftLocks();
  // Ends the threads of rollouts that are over.
  void Reap();
  Worker Find(const RolloutId& rollout) const;
  std::vector<Worker> WorkersOf(const HostId& host) const;
  bool IsOver(const RolloutId& rollout) const;
  bool Knows(const RolloutId& rollout) const;

  const WorkerHouse house_;
  mutable Mutex mu_;  // taken before any worker's own
  std::map<RolloutId, Worker> workers_ ABSL_GUARDED_BY(mu_);
  std::set<HostId> attached_ ABSL_GUARDED_BY(mu_);
  std::map<RolloutId, RolloutSummary> summaries_ ABSL_GUARDED_BY(mu_);
  std::vector<RolloutId> order_ ABSL_GUARDED_BY(mu_);  // oldest first
  std::vector<RolloutId> over_ ABSL_GUARDED_BY(mu_);   // to be reaped
  std::deque<std::shared_ptr<const RolloutView>> last_views_ ABSL_GUARDED_BY(mu_);
};

}  // namespace slipway::controller
