// One agent of a swarm. Core, runner, the log's format and the session are those of slipway-agent;
// the log is kept in memory, and an action does nothing for as long as the swarm says.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "agent/runner/task_runner.h"
#include "agent/session/uplink.h"
#include "agent/state/fake_log_file.h"
#include "slipway/v1/agent_session.pb.h"
#include "tools/swarm/members.h"

namespace slipway::swarm {

// What all agents did together. Read from any thread.
struct Tally {
  std::atomic<std::int64_t> attached{0};      // now
  std::atomic<std::int64_t> welcomes{0};      // sessions since the start
  std::atomic<std::int64_t> started{0};       // actions begun
  std::atomic<std::int64_t> acknowledged{0};  // answers that the controller has made durable
  std::atomic<std::int64_t> beats{0};         // sent by BeatWhenDue
  std::atomic<std::int64_t> rejected{0};      // agents that were turned away for good
};

// The thread on which agents live.
class Ground {
 public:
  virtual ~Ground() = default;
  virtual grpc::CompletionQueue& queue() = 0;
  virtual const Clock& clock() const = 0;
  virtual Tally& tally() = 0;
  // The agent has inputs that wait for Pump.
  virtual void Wake(class SwarmAgent& agent) = 0;
  // Says agent.End(command) when the action has taken its time.
  virtual void Begin(class SwarmAgent& agent, const CommandId& command) = 0;
};

// Used by its ground's thread alone.
class SwarmAgent final : public agent::SessionHandler,
                         public agent::Sender,
                         public agent::Executor {
 public:
  // `ground` outlives the agent, which dials first at `first`.
  static absl::StatusOr<std::unique_ptr<SwarmAgent>> Make(
      const Member& member, const std::string& address,
      std::shared_ptr<grpc::ChannelCredentials> credentials, absl::Duration first, Ground& ground);

  agent::Uplink& uplink() { return uplink_; }
  // Decides what was heard, logs it, and says and does what follows.
  absl::Status Pump();
  void End(const CommandId& command);
  // As an agent's health monitor: every 10 s.
  void ReportWhenDue(absl::Duration now);
  // A beat beside those of the session, every `interval`.
  void BeatWhenDue(absl::Duration now, absl::Duration interval);

  void FillHello(v1::Hello& hello) override;
  void Connected() override;
  void Disconnected() override;
  void Received(const Command& command, const std::string& nonce) override;
  void Acknowledged(const CommandId& id) override;
  void Closed(const RolloutId& rollout) override;
  void OutputWanted(const v1::OutputRequest& request) override;
  void Rejected(const absl::Status& why) override;

  void Accepted(const agent::Acceptance& acceptance) override;
  void Refused(const agent::Refusal& refusal) override;
  void Answered(const Answer& answer) override;

  void Start(const Command& command) override;
  void Probe(const Command& command, bool rebooted) override;
  void Cancel(const CommandId& id) override;

 private:
  SwarmAgent(const Member& member, const std::string& address,
             std::shared_ptr<grpc::ChannelCredentials> credentials, absl::Duration first,
             Ground& ground);
  void Hear(agent::Input input);
  void Report();

  const std::string host_, agent_id_;
  Ground& ground_;
  agent::FakeLogFile file_;
  std::unique_ptr<agent::CommandLog> log_;
  std::unique_ptr<agent::TaskRunner> runner_;
  agent::Uplink uplink_;
  std::vector<agent::Input> inbox_;
  bool attached_ = false;
  absl::Duration report_due_, beat_due_;
};

}  // namespace slipway::swarm
