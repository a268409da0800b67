// One attempt to be connected, from the call to its status. For uplink.cc only.
//
// At most one read and one write are under way. The object may be deleted only when none of its
// tags is on the queue: Gone() says so, and `status` then tells why it ended.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "slipway/v1/agent_session.grpc.pb.h"

namespace slipway::agent {

class Uplink;

class Connection {
 public:
  enum class Phase { dialling, attached, ending };
  enum class Op { start, read, write, finish };
  struct Tag {
    Uplink* uplink;
    Op op;
  };
  static constexpr std::size_t kQueueMessagesMax = 4096;
  static constexpr std::size_t kQueueBytesMax = 4 << 20;

  Connection(Uplink& uplink, std::shared_ptr<grpc::Channel> channel, grpc::CompletionQueue* queue,
             std::atomic<std::size_t>& waiting_bytes, absl::Duration now);
  ~Connection() { waiting_bytes_ = 0; }

  Phase phase = Phase::dialling;
  std::string nonce;
  v1::ControllerMessage incoming;
  std::optional<absl::Duration> welcomed;  // when
  absl::Duration since;                    // Clock::Monotonic when the phase began
  absl::Duration last_heard, last_sent;
  grpc::Status status;
  std::string why;  // we ended it, for this reason; "" = the other side did

  // False: the queue is full.
  bool Send(v1::AgentMessage message, absl::Duration now);
  void Read();
  // Each ends the operation of one tag.
  void StartDone(bool ok);
  bool ReadDone(bool ok);  // false: nothing more will come
  void WriteDone(bool ok, absl::Duration now);
  void FinishDone() { finished_ = true; }

  void Cancel(std::string reason, absl::Duration now);
  bool Gone() const { return finished_; }

 private:
  void Write(v1::AgentMessage message, absl::Duration now);
  void FinishWhenIdle();

  const std::unique_ptr<v1::AgentSessionService::Stub> stub_;
  std::atomic<std::size_t>& waiting_bytes_;
  grpc::ClientContext context_;
  Tag start_tag_;
  Tag read_tag_;
  Tag write_tag_;
  Tag finish_tag_;
  std::unique_ptr<grpc::ClientAsyncReaderWriter<v1::AgentMessage, v1::ControllerMessage>> stream_;
  bool starting_ = true, reading_ = false, writing_ = false;
  bool over_ = false;  // a read failed: only the status is left
  bool finishing_ = false, finished_ = false;
  std::deque<v1::AgentMessage> queue_;
};

}  // namespace slipway::agent
