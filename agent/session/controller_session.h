// The agent's session with its controller: an uplink with a thread and a completion queue of its
// own. The thread alone touches the uplink; everyone else posts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "agent/runner/ports.h"
#include "agent/session/uplink.h"
#include "common/clock.h"
#include "common/model/command.h"
#include "common/tls/client_config.h"

namespace slipway::v1 {
class HealthReport;
class OutputChunk;
}  // namespace slipway::v1

namespace slipway::agent {

// Thread-safe.
class ControllerSession final : public Sender {
 public:
  // `handler` and `clock` outlive the session; the handler is called on its thread. `address` is
  // host:port of the agents' listener.
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
