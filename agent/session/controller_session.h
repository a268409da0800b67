// The agent's way to its controller: dial, greet, keep alive, come back.
//
//   waiting ──due──► dialling ──Welcome──► attached
//      ▲                │ 10 s, refused       │ broken, 5 s of silence, full queue
//      └── back-off ────┴──── ending ◄────────┘
//             (no tag left on the queue)
//
// One completion queue and one thread, which alone touches the connection; everyone else posts.
// Full-jitter back-off from 0.2 to 30 s; 60 s where the controller says that this identity is
// used twice or the protocol is not spoken. A certificate that is refused ends the session for
// good: a person must enrol the host again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "agent/runner/ports.h"
#include "common/clock.h"
#include "common/model/command.h"
#include "common/tls/client_config.h"

namespace slipway::v1 {
class HealthReport;
class Hello;
class OutputChunk;
class OutputRequest;
}  // namespace slipway::v1

namespace slipway::agent {

// Called on the session's thread: implementations return at once.
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

// Thread-safe.
class ControllerSession final : public Sender {
 public:
  // `handler` and `clock` outlive the session. `address` is host:port of the agents' listener.
  ControllerSession(std::string address, const tls::KeyMaterial& material,
                    const AgentTiming& timing, const Clock& clock, SessionHandler& handler);
  ~ControllerSession() override;

  void Start();
  // Ends the connection and the thread. The handler is not called afterwards.
  void Stop();

  // All of these only enqueue; without a session they are dropped.
  void Accepted(const Acceptance& acceptance) override;
  void Refused(const Refusal& refusal) override;
  void Answered(const Answer& answer) override;
  void Report(const v1::HealthReport& report);
  void Progress(const CommandId& id, const std::string& text, std::uint64_t done,
                std::uint64_t total);
  void Output(const v1::OutputChunk& chunk);

  // This host's clock minus the controller's, as of the last welcome; nullopt: not connected yet.
  std::optional<absl::Duration> clock_offset() const;

  // Bytes that wait to be sent. Whoever sends much (output) waits while there are many: a full
  // queue ends the session.
  std::size_t waiting_bytes() const;

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::agent
