// One agent's way to its controller, without a thread: dial, greet, keep alive, come back.
//
//   waiting ──due──► dialling ──Welcome──► attached
//      ▲                │ 10 s, refused       │ broken, 5 s of silence, full queue
//      └── back-off ────┴──── ending ◄────────┘
//             (no tag left on the queue)
//
// Full-jitter back-off from 0.2 to 30 s; 60 s where the controller says that this identity is
// used twice or the protocol is not spoken. A certificate that is refused ends it for good: a
// person must enrol the host again.
//
// The owner of the completion queue drives it, alone: KeepTime when NextDue has come, OnTag for
// what the queue gives. Several may share a queue. An agent has one (ControllerSession).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include "absl/status/status.h"
#include "agent/runner/ports.h"
#include "common/clock.h"
#include "common/model/command.h"
#include "common/tls/client_config.h"

namespace grpc {
class ChannelCredentials;
class CompletionQueue;
}  // namespace grpc

namespace slipway {
namespace tls {
class SessionCache;
}  // namespace tls

namespace v1 {
class AgentMessage;
class CommandMessage;
class Hello;
class OutputRequest;
}  // namespace v1

namespace agent {

class Connection;

// Called on the thread that drives the uplink: implementations return at once.
class SessionHandler {
 public:
  virtual ~SessionHandler() = default;

  // What the next hello says; protocol, nonce and clock are filled in by the session.
  virtual void FillHello(v1::Hello& hello) = 0;
  // The controller welcomed us. Everything sent before on another session may be lost.
  virtual void Connected() = 0;
  virtual void Disconnected() = 0;
  // `nonce` is that of the session over which the command came.
  virtual void Received(const Command& command, const std::string& nonce) = 0;
  virtual void Acknowledged(const CommandId& id) = 0;
  virtual void Closed(const RolloutId& rollout) = 0;
  virtual void OutputWanted(const v1::OutputRequest& request) = 0;
  // The controller does not accept our certificate. No further attempt is made.
  virtual void Rejected(const absl::Status& why) = 0;
};

struct AgentTiming {
  // A controller's beat is answered at once, so that this one is needed only when none came.
  absl::Duration beat = absl::Milliseconds(2500);
  absl::Duration silence = absl::Seconds(5);
  absl::Duration dial = absl::Seconds(10);
  absl::Duration conflict = absl::Seconds(60);
  absl::Duration steady = absl::Seconds(5);  // attached so long: the back-off starts anew
};

// Not thread-safe, but for waiting_bytes and clock_offset.
class Uplink {
 public:
  // All but `address`, `credentials` and `timing` outlive the uplink. `address` is host:port of the
  // agents' listener. The first attempt is due at `first`, of Clock::Monotonic.
  Uplink(std::string address, std::shared_ptr<grpc::ChannelCredentials> credentials,
         const AgentTiming& timing, const Clock& clock, absl::Duration first,
         SessionHandler& handler, grpc::CompletionQueue& queue);
  // No tag of it is on the queue any more: gone().
  ~Uplink();

  // Does what time asks for.
  void KeepTime();
  // When KeepTime is to be called again, of Clock::Monotonic; sooner does no harm.
  absl::Duration NextDue() const;
  // For a tag that the queue gave; says to which uplink it belonged.
  static Uplink& OnTag(void* tag, bool ok);

  // Dropped unless attached.
  void Send(v1::AgentMessage message);
  // No further attempt; the connection is cancelled. The handler is not called afterwards.
  void Stop();
  bool gone() const { return stopping_ && connection_ == nullptr; }
  // Between the call and its welcome.
  bool dialling() const;
  // The next KeepTime dials, when its time has come.
  bool waiting() const { return connection_ == nullptr; }

  // This host's clock minus the controller's, as of the last welcome; nullopt: not connected yet.
  std::optional<absl::Duration> clock_offset() const;
  // Bytes that wait to be sent.
  std::size_t waiting_bytes() const { return waiting_bytes_; }

 private:
  absl::Duration Now() const { return clock_.Monotonic(); }
  void Dial();
  void Greet();
  void OnRead();
  void OnWelcome();
  void OnMessage();
  void OnCommand(const v1::CommandMessage& message);
  void Ended();

  // Constant after construction.
  const std::string address_;
  const std::shared_ptr<grpc::ChannelCredentials> credentials_;
  const AgentTiming timing_;
  const Clock& clock_;
  SessionHandler& handler_;
  grpc::CompletionQueue& queue_;
  const std::unique_ptr<tls::SessionCache> tls_sessions_;

  // Synchronize themselves.
  std::atomic<std::size_t> waiting_bytes_{0};
  std::atomic<std::int64_t> clock_offset_us_;

  std::unique_ptr<Connection> connection_;  // nullptr: waiting for retry_at_
  absl::Duration retry_at_;
  int attempt_ = 0;
  bool rejected_ = false;
  bool stopping_ = false;
  std::mt19937_64 chance_;
};

// What an agent says of commands, as messages.
v1::AgentMessage MessageOf(const Acceptance& acceptance);
v1::AgentMessage MessageOf(const Refusal& refusal);
v1::AgentMessage MessageOf(const Answer& answer);

}  // namespace agent
}  // namespace slipway
