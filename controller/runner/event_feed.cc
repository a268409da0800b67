#include "controller/runner/event_feed.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "controller/journal/event_codec.h"

namespace slipway::controller {

absl::StatusOr<std::optional<SequencedEvent>> Subscription::Next(absl::Duration timeout) {
  if (!backlog_.empty()) {
    SequencedEvent event = std::move(backlog_.front());
    backlog_.pop_front();
    return event;
  }
  // Whoever is dropped still gets what was queued before: it has no gap.
  std::optional<SequencedEvent> event = channel_->live.Pop(timeout);
  if (!event && channel_->dropped) {
    return absl::OutOfRangeError("events were missed; subscribe again behind the last sequence");
  }
  return event;
}

void EventFeed::Publish(std::uint64_t first, const std::vector<engine::Event>& events) {
  MutexLock lock(mu_);
  if (first != next_) SendBack();
  next_ = first + events.size();
  if (readers_.empty()) return;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const SequencedEvent event{first + i, std::make_shared<const engine::Event>(events[i])};
    std::erase_if(readers_, [&event](const auto& reader) {
      if (reader->live.Push(event)) return false;
      reader->dropped = true;
      reader->live.Close();
      return true;
    });
  }
}

void EventFeed::SkipTo(std::uint64_t next) {
  MutexLock lock(mu_);
  if (next != next_) SendBack();
  next_ = next;
}

void EventFeed::SendBack() {
  for (const auto& reader : readers_) {
    reader->dropped = true;
    reader->live.Close();
  }
  readers_.clear();
}

void EventFeed::Close() {
  MutexLock lock(mu_);
  closed_ = true;
  for (const auto& reader : readers_) reader->live.Close();
  readers_.clear();
}

absl::StatusOr<std::unique_ptr<Subscription>> EventFeed::Subscribe(std::uint64_t from,
                                                                   Journal& journal) {
  auto channel = std::make_shared<Subscription::Channel>(limit_);
  std::unique_ptr<Subscription> subscription(new Subscription(channel));
  std::uint64_t live_from = 0;
  {
    MutexLock lock(mu_);
    live_from = next_;
    if (closed_) {
      channel->live.Close();
    } else {
      readers_.push_back(channel);
    }
  }
  SLIPWAY_ASSIGN_OR_RETURN(const std::vector<Record> records, journal.Read(rollout_, from));
  for (const Record& record : records) {
    if (record.sequence >= live_from) break;
    SLIPWAY_ASSIGN_OR_RETURN(engine::Event event, DecodeEvent(record.bytes));
    subscription->backlog_.push_back(
        {record.sequence, std::make_shared<const engine::Event>(std::move(event))});
  }
  return subscription;
}

}  // namespace slipway::controller
