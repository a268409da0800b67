// Drives one rollout: decide, append, and only then let anything leave the process.
//
// Owns no thread and no clock; the pool, the tests and the simulator call it alike.
#pragma once

#include <map>
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
  // Errors: ALREADY_EXISTS when the journal knows the rollout, else those of Journal.
  static absl::StatusOr<std::unique_ptr<RolloutRunner>> Open(RolloutId id, std::string holder,
                                                             engine::Planned planned,
                                                             Journal& journal, Outbound& out);
  // The same for a rollout whose first event was made durable by somebody else, together with its
  // locks (Store::CreateRollout). `planned` is what DecodeEvent gives back of that record.
  static absl::StatusOr<std::unique_ptr<RolloutRunner>> Created(RolloutId id, std::string holder,
                                                                engine::Planned planned,
                                                                Lease lease, Journal& journal,
                                                                Outbound& out);
  // Takes over an existing one: raises the epoch, replays, sends nothing yet (nobody is attached).
  // Errors: NOT_FOUND when there is no record; UNIMPLEMENTED when a newer controller wrote it;
  // INTERNAL when the replayed state breaks an invariant; else those of Journal.
  static absl::StatusOr<std::unique_ptr<RolloutRunner>> Recover(RolloutId id, std::string holder,
                                                                Journal& journal, Outbound& out);

  // Decides all of `inputs`, appends their events in one transaction, then dispatches: what was
  // issued, what is open on hosts that attached, acknowledgements, and the end.
  //
  // `verdicts`, one for each input, says what Decide answered (a refused verb). Errors are those of
  // Journal::Append, and INTERNAL when an event broke an invariant: after any of them this object
  // is dead and must be dropped, nothing was sent and `verdicts` mean nothing.
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
  RolloutRunner(RolloutId id, std::string holder, Lease lease, Journal& journal, Outbound& out);
  // What the first event settles for good.
  void IndexHosts();
  void TrackOpen(const engine::Event& event);
  absl::Status Append();
  void Dispatch(const std::vector<engine::Input>& inputs);
  void SendOpen(const std::vector<engine::Input>& inputs);
  void AnswerReport(const engine::Reported& report);
  bool Knows(const engine::Reported& report) const;
  Command CommandFor(const engine::TaskId& task) const;
  CommandId NameOf(const engine::TaskId& task, int attempt) const;

  const RolloutId id_;
  const std::string holder_;
  Journal& journal_;
  Outbound& out_;
  Lease lease_;
  engine::State state_;
  engine::Presence presence_;
  std::map<HostId, engine::HostIx> host_index_;
  std::map<engine::HostIx, std::set<engine::TaskId>> open_at_;  // state_.open, by host
  std::vector<engine::Event> last_events_;
  std::uint64_t last_first_sequence_ = 0;
};

// `app` as a step writes it ("{{root}}/srv/media") as a directory of this host.
std::string DirectoryOn(const engine::Target& host, const std::string& app);

// Release that the rollout found in the step's application directory, "" if there was none.
std::string PreviousRelease(const engine::State& state, engine::HostIx host,
                            const engine::Step& step);

// Replays `records` into a state. Errors as for Recover.
absl::StatusOr<engine::State> ReplayRecords(const RolloutId& rollout,
                                            const std::vector<Record>& records);

}  // namespace slipway::controller
