#include "agent/agent.h"

#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/actions/action_runner.h"
#include "agent/actions/action_table.h"
#include "agent/actions/database_step.h"
#include "agent/core_loop.h"
#include "agent/health/health_codec.h"
#include "agent/health/health_monitor.h"
#include "agent/host_facts.h"
#include "agent/output_sender.h"
#include "agent/program_proof.h"
#include "agent/releases/host_releases.h"
#include "agent/services/bus_systemd.h"
#include "agent/services/hook_runner.h"
#include "agent/services/host_journal.h"
#include "agent/services/process_service_manager.h"
#include "agent/services/service_drivers.h"
#include "agent/services/systemd_service_manager.h"
#include "agent/session/controller_session.h"
#include "agent/session/grpc_content_source.h"
#include "agent/state/command_log.h"
#include "common/artifact/digest.h"
#include "common/folder_lock.h"
#include "common/log.h"
#include "common/status_macros.h"
#include "common/tls/credentials.h"
#include "common/tls/pem_file.h"
#include "common/version.h"
#include "common/wire/proto_time.h"
#include "common/wire/session_codec.h"
#include "slipway/v1/agent_session.pb.h"

namespace slipway::agent {
namespace {

// The status with which a process ends that must not go on: nobody can tell what is on its disk.
constexpr int kLostDisk = 70;
// A manifest of many files; content comes in pieces of at most 1 MiB.
constexpr int kContentMessageBytesMax = 32 << 20;
// Rollouts whose output is kept after their end.
constexpr std::size_t kOutputsKept = 20;

// Of this agent alone, on tmpfs, and gone after a reboot.
std::string MemoryFolder(const std::string& dir) {
  return absl::StrCat("/dev/shm/slipway-agent-", Digest::Of(dir).Short());
}

[[noreturn]] void EndAtOnce(const absl::Status& why) {
  log::Error("the command log is lost; ending at once", {{"why", std::string(why.message())}});
  ::_exit(kLostDisk);
}

// A connection beside the session's, dialled when content is first asked for.
std::shared_ptr<grpc::Channel> ContentChannel(const std::string& address,
                                              const tls::KeyMaterial& trust,
                                              const tls::SessionCache& sessions) {
  grpc::ChannelArguments arguments = tls::SessionChannelArguments(sessions);
  arguments.SetInt(GRPC_ARG_TSI_MAX_FRAME_SIZE, 16 << 10);
  arguments.SetMaxReceiveMessageSize(kContentMessageBytesMax);
  // A controller that comes back is to be found soon.
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 5'000);
  return grpc::CreateCustomChannel(address, tls::MutualChannelCredentials(trust), arguments);
}

}  // namespace

// Services that systemd runs.
struct Units {
  Units(std::string base, const Clock& clock) : driver(std::move(base), systemd, journal, clock) {}

  BusSystemd systemd;
  HostJournal journal;
  SystemdServiceManager driver;
};

// Everything that is opened before the first thread starts.
struct Opened {
  explicit Opened(FolderLock taken) : lock(std::move(taken)) {}

  FolderLock lock;
  tls::KeyMaterial trust;
  std::string agent_id;
  std::string boot_id;
  std::unique_ptr<LogFile> log_file;
  std::unique_ptr<CommandLog> log;
  std::unique_ptr<OutputArchive> output;
  std::unique_ptr<ExecLauncher> launcher;
  std::unique_ptr<HookRunner> hooks;
  std::unique_ptr<ServiceManager> processes;
  std::unique_ptr<Units> units;
  std::unique_ptr<ServiceManager> services;
  std::unique_ptr<HostReleases> releases;
};

// Destroyed in reverse: the session first, the state folder last.
class Agent::Parts final : public SessionHandler {
 public:
  Parts(Config config, const Clock& clock, Supervisor& supervisor, Opened opened);
  ~Parts() override;

  absl::Status Run();
  absl::Status Wait() ABSL_LOCKS_EXCLUDED(mu_);
  void Stop(absl::Status why) ABSL_LOCKS_EXCLUDED(mu_);

  void FillHello(v1::Hello& hello) override;
  void Connected() override;
  void Disconnected() override;
  void Received(const Command& command, const std::string& nonce) override;
  void Acknowledged(const CommandId& id) override { loop_.Hear(agent::Acknowledged{id}); }
  void Closed(const RolloutId& rollout) override;
  void OutputWanted(const v1::OutputRequest& request) override;
  void Rejected(const absl::Status& why) override { Stop(why); }

 private:
  void Report(const HostHealth& health) ABSL_LOCKS_EXCLUDED(mu_);
  void ReportVersions(const Observed& observed) ABSL_LOCKS_EXCLUDED(mu_);
  void Forget(const RolloutId& rollout, const State& state);
  void Turned(bool connected);
  ActionHost HostForActions();
  ActionResults ResultsOfActions();

  const Config config_;
  const Clock& clock_;
  Supervisor& supervisor_;
  const Opened opened_;
  ProgramProof proof_;  // of the core's thread
  CoreLoop loop_;
  const tls::SessionCache content_sessions_;
  GrpcContentSource content_;
  ControllerSession session_;
  OutputSender output_sender_;
  HealthMonitor health_;
  ActionRunner actions_;
  std::unique_ptr<TaskRunner> runner_;

  Mutex mu_;
  CondVar over_;
  std::optional<absl::Status> end_ ABSL_GUARDED_BY(mu_);
  std::optional<v1::HealthReport> last_report_ ABSL_GUARDED_BY(mu_);
};

Agent::Parts::Parts(Config config, const Clock& clock, Supervisor& supervisor, Opened opened)
    : config_(std::move(config)),
      clock_(clock),
      supervisor_(supervisor),
      opened_(std::move(opened)),
      proof_(config_.dir, OwnExecutable(), clock_.Monotonic()),
      loop_(clock_,
            {EndAtOnce,
             [this](const RolloutId& rollout, const State& state) { Forget(rollout, state); },
             [this](bool connected) { Turned(connected); }}),
      content_(ContentChannel(config_.controller, opened_.trust, content_sessions_), clock_),
      session_(config_.controller, opened_.trust, AgentTiming(), clock_, *this),
      output_sender_({clock_, *opened_.output,
                      [this](const CommandId& id) { return loop_.IsRunning(id); },
                      [this] { return session_.waiting_bytes(); },
                      [this](const v1::OutputChunk& chunk) { session_.Output(chunk); }}),
      health_(clock_, *opened_.releases, *opened_.services),
      actions_(HostForActions(), ResultsOfActions()) {}

Agent::Parts::~Parts() {
  session_.Stop();
  health_.Stop();
  actions_.Stop();
  loop_.Stop();
}

// The rollout is over: nothing of it is pinned any more. What its commands said is kept for a
// while, since people ask after the end.
void Agent::Parts::Forget(const RolloutId& rollout, const State& state) {
  const absl::Status status = opened_.releases->ReleasePins(rollout.text);
  if (!status.ok()) {
    log::Warn("pins are kept", {{"rollout", rollout.text}, {"why", std::string(status.message())}});
  }
  if (state.closed.size() <= kOutputsKept) return;
  const RolloutId& old = state.closed[state.closed.size() - 1 - kOutputsKept];
  opened_.output->Forget(old);
  opened_.hooks->Forget(old);
  ForgetDatabases(config_.dir + "/databases", old);
}

// On the core's thread.
void Agent::Parts::Turned(bool connected) {
  supervisor_.Alive();
  const absl::Status proof = proof_.Look(connected, clock_.Monotonic());
  if (!proof.ok()) Stop(proof);
}

ActionHost Agent::Parts::HostForActions() {
  return {.clock = clock_,
          .services = *opened_.services,
          .releases = *opened_.releases,
          .hooks = *opened_.hooks,
          .content = content_,
          .output = *opened_.output,
          .find = FindAction,
          .observe = [this] { return health_.Observe(); },
          .clock_offset = [this] { return session_.clock_offset(); },
          .databases = {.folder = config_.dir + "/databases",
                        .secrets = config_.secrets,
                        .memory = MemoryFolder(config_.dir)},
          .goes_down = [this] { return GoesDown(opened_.units->systemd); }};
}

void LogEnd(const Answer& answer) {
  log::Info("command ended", {{"rollout", answer.id.rollout.text},
                              {"command", ToString(answer.id)},
                              {"verdict", std::string(ToString(answer.verdict))},
                              {"message", answer.message}});
}

ActionResults Agent::Parts::ResultsOfActions() {
  return {
      .ended =
          [this](Answer answer) {
            LogEnd(answer);
            ReportVersions(answer.observed);
            loop_.Hear(Ended{std::move(answer)});
          },
      .probed =
          [this](Answer answer) {
            LogEnd(answer);
            loop_.Hear(Probed{std::move(answer), false});
          },
      .progress =
          [this](const CommandId& id, std::string_view text, std::uint64_t done,
                 std::uint64_t total) { session_.Progress(id, std::string(text), done, total); }};
}

absl::Status Agent::Parts::Run() {
  SLIPWAY_ASSIGN_OR_RETURN(
      runner_, TaskRunner::Open({config_.host}, opened_.boot_id, *opened_.log, session_, actions_));
  loop_.Start(*runner_);
  supervisor_.Ready(absl::StrCat("not attached yet; dialling ", config_.controller));
  session_.Start();
  health_.Start([this](const HostHealth& health) { Report(health); });
  return absl::OkStatus();
}

void Agent::Parts::Report(const HostHealth& health) {
  v1::HealthReport report;
  Encode(health, report);
  const CoreLoop::Snapshot now = loop_.Now();
  v1::AgentFigures& figures = *report.mutable_agent();
  figures.set_running(static_cast<std::uint32_t>(now.running.size()));
  figures.set_outbox(static_cast<std::uint32_t>(now.outbox));
  figures.set_log_bytes(now.log_bytes);
  figures.set_resident_bytes(ResidentBytes());
  session_.Report(report);
  MutexLock lock(mu_);
  last_report_ = std::move(report);
}

// Ahead of the answer, so that whoever plans the next rollout when this one is over plans from what
// is here now and not from what the last look saw.
void Agent::Parts::ReportVersions(const Observed& observed) {
  MutexLock lock(mu_);
  if (!last_report_) return;  // the first look is under way
  v1::HealthReport& report = *last_report_;
  EncodeApps(observed, report);
  SetProto(clock_.Now(), report.mutable_clock());
  session_.Report(report);
}

// What was reported while nobody listened is said again.
void Agent::Parts::Connected() {
  supervisor_.Status(absl::StrCat("attached to ", config_.controller));
  {
    MutexLock lock(mu_);
    if (last_report_) {
      // The controller takes it for the host's time now.
      SetProto(clock_.Now(), last_report_->mutable_clock());
      session_.Report(*last_report_);
    }
  }
  loop_.Connected();
}

void Agent::Parts::FillHello(v1::Hello& hello) {
  hello.set_agent_version(std::string(Version()));
  hello.set_agent_id(opened_.agent_id);
  hello.set_boot_id(opened_.boot_id);
  hello.mutable_labels()->insert(config_.labels.begin(), config_.labels.end());
  FillFacts(*hello.mutable_facts());
  const CoreLoop::Snapshot now = loop_.Now();
  for (const Witness& witness : now.witnesses)
    Encode(witness.rollout, witness.fence, *hello.add_witnesses());
  for (const CommandId& id : now.running) hello.add_running(ToString(id));
  MutexLock lock(mu_);
  if (last_report_) *hello.mutable_health() = *last_report_;
}

void Agent::Parts::Disconnected() {
  supervisor_.Status(absl::StrCat("not attached; dialling ", config_.controller));
  loop_.Disconnected();
  output_sender_.CancelAll();
}

void Agent::Parts::Received(const Command& command, const std::string& nonce) {
  loop_.Hear(agent::Received{command, nonce});
}

void Agent::Parts::Closed(const RolloutId& rollout) {
  loop_.Hear(RolloutClosed{rollout});
}

void Agent::Parts::OutputWanted(const v1::OutputRequest& request) {
  if (request.cancel()) return output_sender_.Cancel(request.request());
  const auto id = ParseCommandId(request.id());
  if (!id) return;
  output_sender_.Begin(request.request(), {*id, request.offset(), request.follow()});
}

absl::Status Agent::Parts::Wait() {
  MutexLock lock(mu_);
  while (!end_) over_.Wait(mu_);
  return *end_;
}

void Agent::Parts::Stop(absl::Status why) {
  MutexLock lock(mu_);
  if (!end_) end_ = std::move(why);
  over_.NotifyAll();
}

Agent::Agent(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Agent::~Agent() = default;
absl::Status Agent::Wait() {
  return parts_->Wait();
}
void Agent::Stop() {
  parts_->Stop(absl::OkStatus());
}

namespace {

absl::StatusOr<Opened> Open(const Config& config, const Clock& clock) {
  const auto below = [&](const char* name) { return absl::StrCat(config.dir, "/", name); };
  SLIPWAY_ASSIGN_OR_RETURN(FolderLock lock, FolderLock::Take(config.dir));
  Opened opened(std::move(lock));
  SLIPWAY_ASSIGN_OR_RETURN(opened.trust, tls::LoadKeyMaterial(TrustFiles(config.dir)));
  SLIPWAY_ASSIGN_OR_RETURN(opened.agent_id, tls::ReadPrivateFile(below("agent_id")));
  SLIPWAY_ASSIGN_OR_RETURN(opened.boot_id, BootId());
  SLIPWAY_ASSIGN_OR_RETURN(opened.log_file, OpenLogFile(below("commands.log")));
  SLIPWAY_ASSIGN_OR_RETURN(opened.log, CommandLog::Open(*opened.log_file));
  SLIPWAY_ASSIGN_OR_RETURN(opened.output, OutputArchive::Open(below("output")));
  opened.launcher =
      std::make_unique<ExecLauncher>(std::vector<std::string>{"/proc/self/exe", "exec"});
  SLIPWAY_ASSIGN_OR_RETURN(opened.hooks, HookRunner::Open(below("hooks"), *opened.launcher, clock));
  SLIPWAY_ASSIGN_OR_RETURN(opened.processes,
                           ProcessServiceManager::Open(below("services"), *opened.launcher, clock));
  opened.units = std::make_unique<Units>(below("units"), clock);
  opened.services = std::make_unique<ServiceDrivers>(*opened.processes, opened.units->driver);
  SLIPWAY_ASSIGN_OR_RETURN(opened.releases, HostReleases::Open(below("releases")));
  return opened;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Agent>> Agent::Start(const Config& config, const Clock& clock,
                                                    Supervisor& supervisor) {
  SLIPWAY_ASSIGN_OR_RETURN(Opened opened, Open(config, clock));
  auto parts = std::make_unique<Parts>(config, clock, supervisor, std::move(opened));
  SLIPWAY_RETURN_IF_ERROR(parts->Run());
  return std::unique_ptr<Agent>(new Agent(std::move(parts)));
}

}  // namespace slipway::agent
