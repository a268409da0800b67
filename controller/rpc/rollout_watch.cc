#include <deque>
#include <utility>

#include "common/status_macros.h"
#include "controller/rpc/rollout_convert.h"
#include "controller/rpc/rollout_streams.h"
#include "controller/rpc/stream_slot.h"
#include "slipway/v1/rollout.pb.h"

namespace slipway::controller {
namespace {

// Changes that are sent together, and how long the first waits for others.
constexpr std::size_t kChangesMax = 256;
constexpr absl::Duration kGather = absl::Milliseconds(100);
constexpr absl::Duration kPatience = absl::Milliseconds(500);
// Of a larger rollout the whole is sent only now and then.
constexpr std::size_t kSmallRollout = 200;
constexpr absl::Duration kWholeEvery = absl::Seconds(2);

// One caller's watch.
class Watch {
 public:
  Watch(const RolloutStreams::Ports& ports, RolloutId rollout,
        const std::function<bool(const v1::RolloutUpdate&)>& write)
      : ports_(ports), rollout_(std::move(rollout)), write_(write) {}

  absl::Status Begin(std::uint64_t after);
  // One round: gathers and sends. False: it is over, or the caller has left.
  absl::StatusOr<bool> Go();

 private:
  absl::Status Gather();
  bool SendWhole(v1::RolloutUpdate update);

  const RolloutStreams::Ports& ports_;
  const RolloutId rollout_;
  const std::function<bool(const v1::RolloutUpdate&)>& write_;
  std::unique_ptr<Subscription> events_;
  std::shared_ptr<const RolloutView> view_;
  absl::Time began_;
  std::uint64_t seen_ = 0;  // changes up to here are the caller's already
  std::deque<SequencedEvent> gathered_;
  absl::Duration whole_at_ = -absl::InfiniteDuration();
};

absl::Status Watch::Begin(std::uint64_t after) {
  SLIPWAY_ASSIGN_OR_RETURN(began_, ports_.reader.BeganAt(rollout_));
  SLIPWAY_ASSIGN_OR_RETURN(view_, ports_.pool.View(rollout_));
  seen_ = after == 0 ? view_->sequence : after;
  SLIPWAY_ASSIGN_OR_RETURN(events_, ports_.pool.Subscribe(rollout_, seen_ + 1));
  SendWhole({});
  return absl::OkStatus();
}

absl::Status Watch::Gather() {
  absl::Duration patience = gathered_.empty() ? kPatience : kGather;
  while (gathered_.size() < kChangesMax) {
    SLIPWAY_ASSIGN_OR_RETURN(auto next, events_->Next(patience));
    if (!next) return absl::OkStatus();
    gathered_.push_back(*std::move(next));
    patience = kGather;
  }
  return absl::OkStatus();
}

bool Watch::SendWhole(v1::RolloutUpdate update) {
  *update.mutable_rollout() = ports_.reader.Read(*view_, began_);
  update.set_degraded(!ports_.pool.Degraded().empty());
  whole_at_ = ports_.clock.Monotonic();
  return write_(update);
}

absl::StatusOr<bool> Watch::Go() {
  SLIPWAY_RETURN_IF_ERROR(Gather());
  SLIPWAY_ASSIGN_OR_RETURN(view_, ports_.pool.View(rollout_));
  v1::RolloutUpdate update;
  // Events are described by a state that knows of them; what the view has not reached yet waits.
  while (!gathered_.empty() && gathered_.front().sequence <= view_->sequence) {
    *update.add_changes() = ToProto(*view_, gathered_.front());
    seen_ = gathered_.front().sequence;
    gathered_.pop_front();
  }
  const bool over = view_->state.finished && seen_ >= view_->sequence && gathered_.empty();
  const absl::Duration since = ports_.clock.Monotonic() - whole_at_;
  const bool small = view_->state.hosts.size() <= kSmallRollout;
  const bool changed = update.changes_size() > 0;
  if (over || (changed && small) || since >= kWholeEvery)
    return SendWhole(std::move(update)) && !over;
  return changed ? write_(update) : true;
}

}  // namespace

absl::Status RolloutStreams::Watch(const v1::WatchRolloutRequest& request,
                                   const std::function<bool(const v1::RolloutUpdate&)>& write,
                                   const std::function<bool()>& left) {
  const StreamSlot slot(streams_);
  SLIPWAY_RETURN_IF_ERROR(slot.status());
  SLIPWAY_ASSIGN_OR_RETURN(const RolloutId rollout, ports_.reader.Resolve(request.id()));
  controller::Watch watch(ports_, rollout, write);
  SLIPWAY_RETURN_IF_ERROR(watch.Begin(request.after_sequence()));
  for (;;) {
    if (stopping_) return absl::UnavailableError("the controller is going down");
    if (left()) return absl::OkStatus();
    SLIPWAY_ASSIGN_OR_RETURN(const bool more, watch.Go());
    if (!more) return absl::OkStatus();
  }
}

}  // namespace slipway::controller
