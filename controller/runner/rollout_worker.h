// The thread that drives one rollout: drains its inbox in batches, one append a batch, wakes up in
// time, and recovers by itself when the storage refused an append.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "common/clock.h"
#include "common/mutex.h"
#include "controller/registry/store.h"
#include "controller/runner/event_feed.h"
#include "controller/runner/inbox.h"
#include "controller/runner/rollout_runner.h"
#include "controller/runner/rollout_view.h"

namespace slipway::controller {

struct RunnerOptions {
  std::size_t inbox_limit = 65'536;
  std::size_t feed_limit = 4'096;
  absl::Duration retry_least = absl::Milliseconds(500);  // after the storage refused
  absl::Duration retry_most = absl::Seconds(10);
  // No wait is longer, so that a jump of the clock (a suspended machine) is noticed soon.
  absl::Duration longest_wait = absl::Milliseconds(500);
  // Copying a state for readers takes at most this share of a worker's time. A small rollout is
  // published after each append, one of 10,000 hosts a few times a second.
  double publishing_share = 0.05;
  // What became durable just now, and the state behind it; on the worker's thread, which waits.
  std::function<void(const engine::State&, const std::vector<engine::Event>&)> appended =
      [](const engine::State&, const std::vector<engine::Event>&) {};
};

// What all workers share; outlives them.
struct WorkerHouse {
  Store& store;
  const Clock& clock;
  Outbound& out;
  const std::string holder;  // random, one for each controller process
  const RunnerOptions options;
};

// Thread-safe.
class RolloutWorker {
 public:
  struct Calls {
    // Puts every attached host into the worker's inbox; called when a replayed engine knows nobody.
    std::function<void(RolloutWorker&)> attach_known;
    // The rollout is over and its locks are free. Called once, on the worker's thread.
    std::function<void(const RolloutView&)> over;
  };

  // Drives `runner`, or recovers the rollout first when it is null.
  RolloutWorker(const WorkerHouse& house, RolloutId id, std::unique_ptr<RolloutRunner> runner,
                Calls calls);
  // Stops after the batch that is being pumped; nothing is lost.
  ~RolloutWorker();

  void Start();
  // Begins to stop; the destructor waits.
  void Stop() { inbox_.Close(); }
  Inbox& inbox() { return inbox_; }
  EventFeed& feed() { return feed_; }
  const RolloutId& id() const { return id_; }
  // Null until the rollout was recovered once.
  std::shared_ptr<const RolloutView> View() const;
  // Whether the rollout has this host. True as long as nobody knows.
  bool Concerns(const HostId& host) const;
  // "" or why it does not go on (RolloutView::trouble).
  std::string Trouble() const;
  // It will not be driven here any more: over, taken by another controller, or halted.
  bool done() const;
  // Why a verb is not taken: UNAVAILABLE where a retry may help, else FAILED_PRECONDITION.
  absl::Status NotDriven() const;
  // Stops driving for good, for `reason`: a person has to look.
  void Halt(std::string reason);

 private:
  void Loop();
  bool Recover();
  void Step(Inbox::Batch batch);
  // Who waits for the verdict on which input.
  using Calling = std::vector<std::pair<std::size_t, std::shared_ptr<VerbCall>>>;
  std::vector<engine::Input> InputsOf(const Inbox::Batch& batch, Calling& calls);
  // nullopt: not of this rollout.
  std::optional<engine::Input> InputOf(const Answer& answer, absl::Time now);
  std::optional<engine::Input> InputOf(const Inbox::Trip& trip, absl::Time now);
  std::optional<engine::Input> InputOf(VerbCall& call, absl::Time now);
  void Refused(const absl::Status& status);
  void TurnAway(const Inbox::Batch& batch);
  // Frees the locks and settles what hosts should have. False: the storage refused.
  bool Settle();
  void PublishWhenDue();
  void Publish();
  void SetTrouble(std::string trouble);
  void StartEngineTime(absl::Time last_journaled);
  absl::Time EngineNow() const;
  absl::Duration WaitTime() const;

  const WorkerHouse& house_;
  const RolloutId id_;
  const Calls calls_;
  Inbox inbox_;
  EventFeed feed_;

  // Of the worker's thread.
  std::unique_ptr<RolloutRunner> runner_;
  absl::Time engine_base_;
  absl::Duration monotonic_base_;
  bool first_batch_ = true;
  absl::Duration backoff_;
  bool unpublished_ = true;
  bool over_ = false;                                      // settled: nothing can change any more
  absl::Duration publish_at_ = -absl::InfiniteDuration();  // monotonic

  mutable Mutex mu_;
  std::shared_ptr<const RolloutView> view_ ABSL_GUARDED_BY(mu_);
  std::optional<std::set<HostId>> hosts_ ABSL_GUARDED_BY(mu_);
  std::string trouble_ ABSL_GUARDED_BY(mu_);
  bool done_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace slipway::controller
