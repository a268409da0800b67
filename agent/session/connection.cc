#include "agent/session/connection.h"

#include <utility>

namespace slipway::agent {

Connection::Connection(Uplink& uplink, std::shared_ptr<grpc::Channel> channel,
                       grpc::CompletionQueue* queue, std::atomic<std::size_t>& waiting_bytes,
                       absl::Duration now)
    : since(now),
      last_heard(now),
      last_sent(now),
      stub_(v1::AgentSessionService::NewStub(channel)),
      waiting_bytes_(waiting_bytes),
      start_tag_{&uplink, Op::start},
      read_tag_{&uplink, Op::read},
      write_tag_{&uplink, Op::write},
      finish_tag_{&uplink, Op::finish},
      stream_(stub_->PrepareAsyncConnect(&context_, queue)) {
  stream_->StartCall(&start_tag_);
}

bool Connection::Send(v1::AgentMessage message, absl::Duration now) {
  if (phase == Phase::ending || over_) return true;
  if (!writing_ && !starting_) {
    Write(std::move(message), now);
    return true;
  }
  waiting_bytes_ += message.ByteSizeLong();
  queue_.push_back(std::move(message));
  return queue_.size() <= kQueueMessagesMax && waiting_bytes_ <= kQueueBytesMax;
}

void Connection::Write(v1::AgentMessage message, absl::Duration now) {
  writing_ = true;
  last_sent = now;
  stream_->Write(message, &write_tag_);
}

void Connection::Read() {
  reading_ = true;
  stream_->Read(&incoming, &read_tag_);
}

void Connection::StartDone(bool ok) {
  starting_ = false;
  if (ok && phase != Phase::ending) return Read();
  over_ = true;
  FinishWhenIdle();
}

bool Connection::ReadDone(bool ok) {
  reading_ = false;
  if (ok) return true;
  over_ = true;
  FinishWhenIdle();
  return false;
}

void Connection::WriteDone(bool ok, absl::Duration now) {
  writing_ = false;
  if (over_) return FinishWhenIdle();
  if (!ok || phase == Phase::ending || queue_.empty()) return;
  v1::AgentMessage next = std::move(queue_.front());
  queue_.pop_front();
  waiting_bytes_ -= next.ByteSizeLong();
  Write(std::move(next), now);
}

void Connection::Cancel(std::string reason, absl::Duration now) {
  if (phase == Phase::ending) return;
  phase = Phase::ending;
  since = now;
  why = std::move(reason);
  context_.TryCancel();
  if (!starting_ && !reading_) over_ = true;
  FinishWhenIdle();
}

void Connection::FinishWhenIdle() {
  if (!over_ || starting_ || reading_ || writing_ || finishing_) return;
  finishing_ = true;
  stream_->Finish(&status, &finish_tag_);
}

}  // namespace slipway::agent
