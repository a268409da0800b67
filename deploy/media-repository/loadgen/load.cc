#include "deploy/media-repository/loadgen/load.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "deploy/media-repository/asset.h"

namespace media::load {
namespace {

// Requests that wait for a free user. Beyond this the service is so slow that they are counted as
// failed instead of being kept.
constexpr std::size_t kDueMax = 10'000;

}  // namespace

Load::Load(LoadOptions options, Tally& tally) : options_(std::move(options)), tally_(tally) {
  for (int i = 0; i < options_.users; ++i) users_.emplace_back([this] { Serve(); });
  scheduler_ = std::thread([this] { Schedule(); });
}

Load::~Load() {
  Stop();
}

void Load::Stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (scheduler_.joinable()) scheduler_.join();
  for (std::thread& user : users_) {
    if (user.joinable()) user.join();
  }
}

void Load::Schedule() {
  const Clock::time_point start = Clock::now();
  std::unique_lock lock(mutex_);
  for (std::uint64_t number = 0;; ++number) {
    const std::chrono::duration<double> offset(static_cast<double>(number) / options_.rate);
    const Clock::time_point at = start + std::chrono::duration_cast<Clock::duration>(offset);
    changed_.wait_until(lock, at, [&] { return stopping_ || Clock::now() >= at; });
    if (stopping_) return;
    if (due_.size() == kDueMax) {
      tally_.Add({.request = "any", .status = "none", .failure = "not sent: too many are waiting"});
      continue;
    }
    due_.push_back({.number = number, .at = at});
    changed_.notify_one();
  }
}

void Load::Serve() {
  // Keys of an earlier run against the same service must not be met again.
  User user(options_.base_url, NewId().substr(0, 12), options_.timeout, uploads_);
  while (true) {
    Due due;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !due_.empty(); });
      if (due_.empty()) return;
      due = due_.front();
      due_.pop_front();
    }
    const Clock::time_point sent = Clock::now();
    Outcome outcome = user.Send(due.number);
    const Clock::time_point answered = Clock::now();
    outcome.latency = std::chrono::duration_cast<std::chrono::microseconds>(answered - due.at);
    // The client's own limit is one of silence, not of the whole request.
    if (outcome.failure.empty() && answered - sent > options_.timeout) {
      outcome.failure = absl::StrCat("took ", outcome.latency.count() / 1000, " ms");
    }
    tally_.Add(outcome);
  }
}

}  // namespace media::load
