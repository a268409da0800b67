// All agents' sessions: one completion queue, one thread.
//
// The thread alone touches sessions; everyone else posts work to it. Per session at most one read
// and one write are under way; what waits to be sent is bounded, and an agent that does not read
// loses its session. A session is lost after 5 s of silence or at once when its connection breaks.
//
//   AddTo(builder) ─► BuildAndStart ─► Start() … BeginShutdown() ─► server.Shutdown() ─► Join()
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "common/clock.h"
#include "controller/fleet/fleet_view.h"
#include "controller/fleet/host_gate.h"
#include "controller/fleet/output_stream.h"
#include "controller/fleet/session_events.h"
#include "controller/rpc/authorizer.h"
#include "controller/runner/rollout_runner.h"

namespace grpc {
class ServerBuilder;
}

namespace slipway::controller {

struct SessionTiming {
  absl::Duration beat = absl::Seconds(2);          // sent after so long without another message
  absl::Duration silence = absl::Seconds(5);       // lost after so long without one received
  absl::Duration greeting = absl::Seconds(5);      // from the call to its Hello
  absl::Duration stuck = absl::Seconds(10);        // one write may take
  absl::Duration sweep = absl::Milliseconds(250);  // how often these are looked at
};

// Thread-safe.
class AgentSessions final : public Outbound {
 public:
  // All outlive the sessions.
  struct Ports {
    const Authorizer& authorizer;
    FleetView& view;
    SessionEvents& events;
    const Clock& clock;
    std::function<void()> swept = [] {};  // at every sweep, on the thread: it does not hang
  };
  AgentSessions(const Ports& ports, const SessionTiming& timing);
  ~AgentSessions() override;

  // The service and its queue; before BuildAndStart.
  void AddTo(grpc::ServerBuilder& builder);
  void Start();
  // Ends every session; agents come back when there is somebody again.
  void BeginShutdown();
  // After the server's Shutdown: drains the queue and ends the thread.
  void Join();

  // To a host without session: dropped. It is sent again when the host attaches.
  void Send(const HostId& host, Command command) override;
  void Acknowledge(const HostId& host, const CommandId& id) override;
  void Closed(const HostId& host, const RolloutId& rollout) override;

  // Messages and other work that wait for the sessions' thread.
  std::size_t waiting() const;

  // Ends the host's session; the agent sees PERMISSION_DENIED and stops trying.
  void Expel(const HostId& host, const std::string& why);

  // Asks the host for the spooled output of a command. The stream ends with UNAVAILABLE when the
  // host has no session or loses it.
  std::shared_ptr<OutputStream> OpenOutput(const CommandId& id, bool follow);
  void CloseOutput(const std::shared_ptr<OutputStream>& stream);

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::controller
