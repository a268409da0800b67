#include "controller/rpc/agent_session.h"

#include <utility>

namespace slipway::controller {

bool AgentSession::Send(v1::ControllerMessage message, absl::Duration now) {
  if (phase == Phase::closing) return true;
  if (!writing_) {
    Write(std::move(message), now);
    return true;
  }
  queue_bytes_ += message.ByteSizeLong();
  queue_.push_back(std::move(message));
  return queue_.size() <= kQueueMessagesMax && queue_bytes_ <= kQueueBytesMax;
}

void AgentSession::Write(v1::ControllerMessage message, absl::Duration now) {
  writing_ = true;
  write_began = last_sent = now;
  stream.Write(message, &write_tag_);
}

void AgentSession::WriteDone(bool ok, absl::Duration now) {
  writing_ = false;
  if (last_word_) {
    finishing_ = true;
    stream.Finish(*std::exchange(last_word_, std::nullopt), &finish_tag_);
    return;
  }
  if (!ok || phase == Phase::closing || queue_.empty()) return;
  v1::ControllerMessage next = std::move(queue_.front());
  queue_.pop_front();
  queue_bytes_ -= next.ByteSizeLong();
  Write(std::move(next), now);
}

void AgentSession::Close(const grpc::Status& status, absl::Duration now) {
  if (phase == Phase::closing) return;
  phase = Phase::closing;
  since = now;
  queue_.clear();
  if (writing_) {
    last_word_ = status;
    return;
  }
  finishing_ = true;
  stream.Finish(status, &finish_tag_);
}

void AgentSession::Cancel(absl::Duration now) {
  if (phase != Phase::closing) since = now;
  phase = Phase::closing;
  queue_.clear();
  last_word_.reset();
  context.TryCancel();
}

}  // namespace slipway::controller
