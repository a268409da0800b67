#include "tools/swarm/swarm_agent.h"

#include <utility>

#include "agent/host_facts.h"
#include "common/log.h"
#include "common/status_macros.h"
#include "common/version.h"
#include "common/wire/proto_time.h"
#include "common/wire/session_codec.h"

namespace slipway::swarm {
namespace {

constexpr absl::Duration kReportEvery = absl::Seconds(10);
constexpr char kBootId[] = "5b1c0a52-6b1e-4f0e-9d0b-0d7a3f0c2e11";

Observed Deployed() {
  static const std::string digest = "sha256:" + std::string(64, 'c');
  return {{"/srv/media", {digest, digest, "2.0.0", true}}};
}

v1::Facts MachineFacts() {
  v1::Facts facts;
  agent::FillFacts(facts);
  return facts;
}

// As much as a host with one application says.
v1::HealthReport HealthOf(absl::Time now) {
  v1::HealthReport report;
  for (const auto& [app, version] : Deployed()) {
    v1::VersionMessage& out = (*report.mutable_apps())[app];
    out.set_on_disk(version.on_disk);
    out.set_running(version.running);
    out.set_label(version.label);
    out.set_healthy(version.healthy);
  }
  report.set_load1(0.25);
  report.set_memory_bytes(std::uint64_t{24} << 30);
  report.set_memory_available_bytes(std::uint64_t{20} << 30);
  v1::Disk& disk = *report.add_disks();
  disk.set_path("/");
  disk.set_free_bytes(std::uint64_t{80} << 30);
  disk.set_total_bytes(std::uint64_t{100} << 30);
  v1::ServiceHealth& service = *report.add_services();
  service.set_name("media");
  service.set_app("/srv/media");
  service.set_state(v1::ServiceHealth::RUNNING);
  service.set_healthy(true);
  service.set_pid(4711);
  SetProto(now, report.mutable_clock());
  return report;
}

}  // namespace

SwarmAgent::SwarmAgent(const Member& member, const std::string& address,
                       std::shared_ptr<grpc::ChannelCredentials> credentials, absl::Duration first,
                       Ground& ground)
    : host_(member.host),
      agent_id_(member.agent_id),
      ground_(ground),
      file_(std::hash<std::string>()(member.host)),
      uplink_(address, std::move(credentials), agent::AgentTiming(), ground.clock(), first, *this,
              ground.queue()),
      report_due_(first),
      beat_due_(first) {}

absl::StatusOr<std::unique_ptr<SwarmAgent>> SwarmAgent::Make(
    const Member& member, const std::string& address,
    std::shared_ptr<grpc::ChannelCredentials> credentials, absl::Duration first, Ground& ground) {
  std::unique_ptr<SwarmAgent> agent(
      new SwarmAgent(member, address, std::move(credentials), first, ground));
  SLIPWAY_ASSIGN_OR_RETURN(agent->log_, agent::CommandLog::Open(agent->file_));
  SLIPWAY_ASSIGN_OR_RETURN(agent->runner_, agent::TaskRunner::Open({member.host}, kBootId,
                                                                   *agent->log_, *agent, *agent));
  return agent;
}

// ---- The core ----

void SwarmAgent::Hear(agent::Input input) {
  if (inbox_.empty()) ground_.Wake(*this);
  inbox_.push_back(std::move(input));
}

absl::Status SwarmAgent::Pump() {
  return runner_->Pump(std::exchange(inbox_, {}));
}

void SwarmAgent::Start(const Command& command) {
  ++ground_.tally().started;
  ground_.Begin(*this, command.id);
}

void SwarmAgent::End(const CommandId& command) {
  Answer answer;
  answer.id = command;
  answer.verdict = Verdict::succeeded;
  answer.observed = Deployed();
  if (attached_) Report();  // ahead of the answer, as an agent does
  Hear(agent::Ended{std::move(answer)});
}

// Its log was never read before this process.
void SwarmAgent::Probe(const Command& command, bool) {
  log::Error("probed without a life before", {{"command", ToString(command.id)}});
}

// As an action that must not be interrupted.
void SwarmAgent::Cancel(const CommandId&) {}

// ---- The session ----

void SwarmAgent::FillHello(v1::Hello& hello) {
  hello.set_agent_version(std::string(slipway::Version()));
  hello.set_agent_id(agent_id_);
  hello.set_boot_id(kBootId);
  static const v1::Facts facts = MachineFacts();
  *hello.mutable_facts() = facts;
  for (const agent::Witness& witness : runner_->Witnesses()) {
    Encode(witness.rollout, witness.fence, *hello.add_witnesses());
  }
  const agent::State& state = runner_->state();
  for (const CommandId& id : state.waiting) hello.add_running(ToString(id));
  if (state.current) hello.add_running(ToString(*state.current));
  *hello.mutable_health() = HealthOf(ground_.clock().Now());
}

void SwarmAgent::Connected() {
  attached_ = true;
  ++ground_.tally().attached;
  ++ground_.tally().welcomes;
  Report();
  runner_->Connected();
}

void SwarmAgent::Disconnected() {
  attached_ = false;
  --ground_.tally().attached;
}

void SwarmAgent::Received(const Command& command, const std::string& nonce) {
  Hear(agent::Received{command, nonce});
}

void SwarmAgent::Acknowledged(const CommandId& id) {
  ++ground_.tally().acknowledged;
  Hear(agent::Acknowledged{id});
}

void SwarmAgent::Closed(const RolloutId& rollout) {
  Hear(agent::RolloutClosed{rollout});
}

void SwarmAgent::OutputWanted(const v1::OutputRequest& request) {
  if (request.cancel()) return;
  v1::AgentMessage message;
  message.mutable_output()->set_request(request.request());
  message.mutable_output()->set_end(true);
  uplink_.Send(std::move(message));
}

void SwarmAgent::Rejected(const absl::Status& why) {
  ++ground_.tally().rejected;
  log::Error("turned away", {{"host", host_}, {"why", std::string(why.message())}});
}

void SwarmAgent::Accepted(const agent::Acceptance& acceptance) {
  uplink_.Send(agent::MessageOf(acceptance));
}
void SwarmAgent::Refused(const agent::Refusal& refusal) {
  uplink_.Send(agent::MessageOf(refusal));
}
void SwarmAgent::Answered(const Answer& answer) {
  uplink_.Send(agent::MessageOf(answer));
}

void SwarmAgent::Report() {
  v1::AgentMessage message;
  *message.mutable_health() = HealthOf(ground_.clock().Now());
  uplink_.Send(std::move(message));
  report_due_ = ground_.clock().Monotonic() + kReportEvery;
}

void SwarmAgent::ReportWhenDue(absl::Duration now) {
  if (attached_ && now >= report_due_) Report();
}

void SwarmAgent::BeatWhenDue(absl::Duration now, absl::Duration interval) {
  if (!attached_ || interval == absl::InfiniteDuration() || now < beat_due_) return;
  beat_due_ = now + interval;
  v1::AgentMessage message;
  message.mutable_beat();
  uplink_.Send(std::move(message));
  ++ground_.tally().beats;
}

}  // namespace slipway::swarm
