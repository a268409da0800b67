// Events of one rollout for those who watch it, as they become durable.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/bounded_queue.h"
#include "common/mutex.h"
#include "controller/engine/event.h"
#include "controller/journal/journal.h"

namespace slipway::controller {

struct SequencedEvent {
  std::uint64_t sequence = 0;
  std::shared_ptr<const engine::Event> event;
};

// One reader's place in a feed. Used by one thread at a time; may outlive the feed.
class Subscription {
 public:
  // The next event, in order and without a gap, after at most `timeout`. nullopt: none came, or
  // the feed is over. OUT_OF_RANGE: this reader was too slow, or the rollout had to be replayed:
  // subscribe again behind the last sequence.
  absl::StatusOr<std::optional<SequencedEvent>> Next(absl::Duration timeout);
  // No event will come any more.
  bool over() const { return backlog_.empty() && channel_->live.drained() && !channel_->dropped; }

 private:
  friend class EventFeed;
  struct Channel {
    explicit Channel(std::size_t limit) : live(limit) {}
    BoundedQueue<SequencedEvent> live;
    std::atomic<bool> dropped = false;
  };
  explicit Subscription(std::shared_ptr<Channel> channel) : channel_(std::move(channel)) {}

  std::deque<SequencedEvent> backlog_;
  const std::shared_ptr<Channel> channel_;
};

// Thread-safe.
class EventFeed {
 public:
  // `limit`: events that a reader may lie behind. `next`: sequence number of the next event.
  EventFeed(RolloutId rollout, std::size_t limit, std::uint64_t next)
      : rollout_(std::move(rollout)), limit_(limit), next_(next) {}
  ~EventFeed() { Close(); }

  // `events` are durable; the first has number `first`. When there is a gap before it, every
  // reader is sent back to the journal.
  void Publish(std::uint64_t first, const std::vector<engine::Event>& events);
  // What is not published yet begins at `next`; readers that miss something are sent back.
  void SkipTo(std::uint64_t next);
  // No more events will come.
  void Close();

  // Events from number `from` on: first what `journal` has, then what is published.
  // Errors: those of Journal::Read and DecodeEvent.
  absl::StatusOr<std::unique_ptr<Subscription>> Subscribe(std::uint64_t from, Journal& journal);

 private:
  void SendBack() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const RolloutId rollout_;
  const std::size_t limit_;
  Mutex mu_;
  std::uint64_t next_ ABSL_GUARDED_BY(mu_);
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<std::shared_ptr<Subscription::Channel>> readers_ ABSL_GUARDED_BY(mu_);
};

}  // namespace slipway::controller
