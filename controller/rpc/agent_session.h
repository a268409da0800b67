// One agent's stream, on the controller's side. For agent_sessions.cc only.
//
//   asked ──call──► greeting ──Hello──► attached ──┐
//     │                 └── odd, or 5 s late ──────┼──► closing ──no tag left──► deleted
//     └── shutdown ──► deleted                     │
//                        broken, silent, slow ─────┘
//
// From the call on one read is always under way, and at most one write. The object may be deleted
// only when none of its tags is on the queue: Gone() says so. Used by the sessions' thread alone.
#pragma once

#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/support/async_stream.h>

#include <deque>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "common/model/ids.h"
#include "slipway/v1/agent_session.pb.h"

namespace slipway::controller {

class AgentSession {
 public:
  enum class Phase { asked, greeting, attached, closing };
  enum class Op { call, read, write, finish };
  struct Tag {
    AgentSession* session;
    Op op;
  };

  // Messages that wait for the one that is being written.
  static constexpr std::size_t kQueueMessagesMax = 1024;
  static constexpr std::size_t kQueueBytesMax = 4 << 20;

  using Stream = grpc::ServerAsyncReaderWriter<v1::ControllerMessage, v1::AgentMessage>;

  // Waiting for a call: the caller hands context, stream and tag to the service.
  grpc::ServerContext context;
  Stream stream{&context};
  Tag call_tag{this, Op::call};

  Phase phase = Phase::asked;
  HostId host;         // from the certificate
  absl::Time expires;  // of the certificate
  std::string nonce, agent_id, boot_id;
  absl::Duration since;  // Clock::Monotonic when the phase began
  absl::Duration last_heard, last_sent, write_began;
  std::uint32_t beat = 0;                   // number of the last beat
  std::optional<absl::Duration> beat_sent;  // not echoed yet
  v1::AgentMessage incoming;
  bool replaced = false;  // by a newer session of the same agent

  bool reading() const { return reading_; }
  bool writing() const { return writing_; }

  void Read() {
    reading_ = true;
    stream.Read(&incoming, &read_tag_);
  }
  void ReadDone() { reading_ = false; }

  // Sends or queues. False: the queue is full, the agent does not keep up.
  bool Send(v1::ControllerMessage message, absl::Duration now);
  // The write is over; begins the next one. False: the connection is broken.
  void WriteDone(bool ok, absl::Duration now);

  // Ends the stream with a status that the agent sees, as soon as the running write is over.
  void Close(const grpc::Status& status, absl::Duration now);
  // Ends it at once: whatever is under way fails.
  void Cancel(absl::Duration now);
  void FinishDone() { finishing_ = false; }

  bool Gone() const { return phase == Phase::closing && !reading_ && !writing_ && !finishing_; }

 private:
  void Write(v1::ControllerMessage message, absl::Duration now);

  Tag read_tag_{this, Op::read};
  Tag write_tag_{this, Op::write};
  Tag finish_tag_{this, Op::finish};
  bool reading_ = false, writing_ = false, finishing_ = false;
  std::deque<v1::ControllerMessage> queue_;
  std::size_t queue_bytes_ = 0;
  std::optional<grpc::Status> last_word_;  // Close waits for a write
};

}  // namespace slipway::controller
