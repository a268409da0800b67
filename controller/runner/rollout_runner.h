// Drives one rollout: decide, append, and only then let anything leave the process.
//
// Owns no thread and no clock; the pool, the tests and the simulator call it alike.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/model/command.h"
#include "controller/engine/engine.h"
#include "controller/journal/journal.h"

namespace slipway::controller {

// Where commands go. Implementations only enqueue; a command that gets lost is sent again when
// its host attaches.
class Outbound {
 public:
  virtual ~Outbound() = default;
  // `command.nonce` is filled in by the implementation, which knows the session.
  virtual void Send(const HostId& host, Command command) = 0;
  // The host's agent may forget this attempt: its answer is durable here.
  virtual void Acknowledge(const HostId& host, const CommandId& id) = 0;
  // The rollout is over: its hosts' agents may forget all of it.
  virtual void Closed(const HostId& host, const RolloutId& rollout) = 0;
};

// Not thread-safe: one caller at a time.
class RolloutRunner {
 public:
  // Opens a new rollout: its first event is durable when this returns.
  // `holder` names this controller process. `journal` and `out` outlive the runner.
  static absl::StatusOr<std::unique_ptr<RolloutRunner>> Open(RolloutId id, std::string holder,
                                                            engine::Planned planned, Journal& journal,
                                                            Outbound& out);
  // Takes over an existing one: raises the epoch, replays, sends nothing yet (nobody is attached).
  static absl::StatusOr<std::unique_ptr<RolloutRunner>> Recover(RolloutId id, std::string holder,
                                                               Journal& journal, Outbound& out);

  // Decides all of `inputs`, appends their events in one transaction, then dispatches.
  //
  // `verdicts`, one for each input, says what Decide answered (a refused verb). Errors are those of
  // Journal::Append: after any of them this object is dead and must be dropped; nothing was sent.
  absl::Status Pump(const std::vector<engine::Input>& inputs, std::vector<absl::Status>& verdicts);

  const RolloutId& id() const { return id_; }
  const engine::State& state() const { return state_; }
  const engine::Presence& presence() const { return presence_; }
  const Lease& lease() const { return lease_; }
  // Index of a host of this rollout.
  std::optional<engine::HostIx> Find(const HostId& host) const;
  // Events appended by the last Pump (or by Open), with the sequence number of the first.
  const std::vector<engine::Event>& last_events() const { return last_events_; }
  std::uint64_t last_first_sequence() const { return last_first_sequence_; }

 private:
  RolloutRunner(RolloutId id, std::string holder, Journal& journal, Outbound& out);
  void Dispatch(const std::vector<engine::Input>& inputs);
  Command CommandFor(const engine::TaskId& task) const;

  const RolloutId id_;
  const std::string holder_;
  Journal& journal_;
  Outbound& out_;
  Lease lease_;
  engine::State state_;
  engine::Presence presence_;
  std::vector<engine::Event> last_events_;
  std::uint64_t last_first_sequence_ = 0;
};

}  // namespace slipway::controller
