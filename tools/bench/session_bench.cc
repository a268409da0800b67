// The controller's sessions alone: no engine, no journal. What a command and its answer cost there,
// what a session weighs, how many beats a core takes. tools/bench/swarm starts it.
//
//   session_bench --controller DIR --hosts N [--rounds R] [--beats SECONDS] [--plain]
//
// Listens with the certificate of the controller in DIR, whose place it takes, waits for N agents
// and prints a line of JSON. --plain: without TLS, which no listener of the controller can be; an
// agent then shows its certificate in the metadata of its call.
#include <grpcpp/grpcpp.h>
#include <sys/resource.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "common/flags.h"
#include "common/log.h"
#include "common/mutex.h"
#include "common/status_macros.h"
#include "common/tls/credentials.h"
#include "common/tls/pem_file.h"
#include "controller/rpc/agent_sessions.h"
#include "controller/setup.h"
#include "tools/swarm/plaintext.h"

namespace slipway::controller {
namespace {

constexpr absl::Duration kPatience = absl::Minutes(3);
constexpr absl::Duration kSettle = absl::Seconds(5);

// Memory that is the process's own.
std::int64_t ResidentBytes() {
  std::ifstream status("/proc/self/status");
  std::string key;
  std::int64_t kib = 0;
  while (status >> key) {
    if (key == "RssAnon:" && status >> kib) return kib * 1024;
  }
  return 0;
}

double CpuSeconds() {
  rusage used = {};
  ::getrusage(RUSAGE_SELF, &used);
  return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1e-6;
}

class Everyone final : public HostGate {
 public:
  absl::Status Admit(const HostId&, std::string_view) override { return absl::OkStatus(); }
};

// Counts what happens, and acknowledges answers as the runner does once they are durable.
class Counter final : public SessionEvents {
 public:
  void AckWith(AgentSessions& sessions) { sessions_ = &sessions; }

  void Attached(const HostId& host) override {
    MutexLock lock(mu_);
    hosts_.push_back(host);
    changed_.NotifyAll();
  }
  void Lost(const HostId&) override {
    MutexLock lock(mu_);
    ++lost_;
  }
  void Answered(const Answer& answer) override {
    sessions_->Acknowledge(answer.id.host, answer.id);
    MutexLock lock(mu_);
    ++answers_;
    changed_.NotifyAll();
  }
  void Refused(const CommandId&, bool, const std::string&) override {}
  void Sighted(const HostId&, const Observed&) override {}
  void Witnessed(const HostId&, const RolloutId&, const Fence&) override {}

  bool AwaitAttached(std::size_t count) {
    return Await([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return hosts_.size() >= count; });
  }
  bool AwaitAnswers(std::size_t count) {
    return Await([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return answers_ >= count; });
  }
  std::vector<HostId> hosts() {
    MutexLock lock(mu_);
    return hosts_;
  }
  int lost() {
    MutexLock lock(mu_);
    return lost_;
  }

 private:
  template <typename Holds>
  bool Await(const Holds& holds) ABSL_LOCKS_EXCLUDED(mu_) {
    const absl::Duration deadline = SystemClock().Monotonic() + kPatience;
    MutexLock lock(mu_);
    while (!holds()) {
      const absl::Duration left = deadline - SystemClock().Monotonic();
      if (left <= absl::ZeroDuration()) return false;
      changed_.WaitFor(mu_, left);
    }
    return true;
  }

  AgentSessions* sessions_ = nullptr;
  Mutex mu_;
  CondVar changed_;
  std::vector<HostId> hosts_ ABSL_GUARDED_BY(mu_);
  std::size_t answers_ ABSL_GUARDED_BY(mu_) = 0;
  int lost_ ABSL_GUARDED_BY(mu_) = 0;
};

struct Flags {
  Config config;
  int hosts = 0;
  int rounds = 10;
  int beats = 0;  // seconds
  bool plain = false;
};

absl::Status Count(const CommandLine& line, const std::string& flag, int& out) {
  if (!line.Has(flag) || absl::SimpleAtoi(line.Get(flag), &out)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("--", flag, " is no number"));
}

// The listener and what it needs, in the order in which it may go.
class Bench {
 public:
  explicit Bench(tls::PeerVerifier verifier)
      : verifier_(std::move(verifier)), authorizer_(verifier_, gate_, SystemClock()) {}
  ~Bench() {
    sessions_.BeginShutdown();
    server_->Shutdown(
        gpr_time_add(gpr_now(GPR_CLOCK_REALTIME), gpr_time_from_seconds(2, GPR_TIMESPAN)));
    sessions_.Join();
  }

  absl::Status Listen(const Flags& flags, const tls::KeyMaterial& certificate) {
    auto credentials = flags.plain ? swarm::PlaintextServerCredentials()
                                   : tls::MutualServerCredentials(certificate);
    if (!flags.plain) authorizer_.Guard(*credentials);
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", std::move(credentials), &port);
    // As controller/server.cc has it.
    builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, 16 << 10);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 64);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 15'000);
    builder.AddChannelArgument(GRPC_ARG_TSI_MAX_FRAME_SIZE, 4096);
    builder.AddChannelArgument(GRPC_ARG_ENABLE_CHANNELZ, 0);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
    sessions_.AddTo(builder);
    counter_.AckWith(sessions_);
    server_ = builder.BuildAndStart();
    if (!server_) return absl::UnavailableError("cannot listen");
    sessions_.Start();
    return tls::WriteFile(flags.config.dir + "/endpoints.json",
                          absl::StrCat("{\"agents\": \"127.0.0.1:", port, "\"}\n"), tls::kPublic);
  }

  // One command to every host at once, until every answer is there; `rounds` times.
  absl::Status Burst(int rounds) {
    const std::vector<HostId> hosts = counter_.hosts();
    for (int round = 1; round <= rounds; ++round) {
      for (const HostId& host : hosts) {
        Command command;
        command.id = {
            {"ro-BENCH1"}, Course::forward, 0, static_cast<std::uint16_t>(round), host, 1};
        command.fence = {1, "bench", static_cast<std::uint64_t>(round), "00"};
        command.payload = std::string(64, 'x');
        sessions_.Send(host, std::move(command));
      }
      asked_ += hosts.size();
      if (!counter_.AwaitAnswers(asked_)) return absl::DeadlineExceededError("answers are missing");
    }
    return absl::OkStatus();
  }

  Counter& counter() { return counter_; }

 private:
  Everyone gate_;
  const tls::PeerVerifier verifier_;
  const Authorizer authorizer_;
  FleetView view_;
  Counter counter_;
  AgentSessions sessions_{{authorizer_, view_, counter_, SystemClock()}, SessionTiming()};
  std::unique_ptr<grpc::Server> server_;
  std::size_t asked_ = 0;
};

absl::Status Measure(const Flags& flags) {
  SLIPWAY_ASSIGN_OR_RETURN(const tls::Authority authority,
                           tls::Authority::Open(AuthorityDir(flags.config)));
  SLIPWAY_ASSIGN_OR_RETURN(tls::PeerVerifier verifier,
                           tls::PeerVerifier::Create(authority.anchors()));
  SLIPWAY_ASSIGN_OR_RETURN(const tls::KeyMaterial certificate,
                           OwnCertificate(flags.config, authority, SystemClock().Now()));
  Bench bench(std::move(verifier));
  SLIPWAY_RETURN_IF_ERROR(bench.Listen(flags, certificate));
  const std::int64_t empty = ResidentBytes();
  const absl::Duration begun = SystemClock().Monotonic();
  if (!bench.counter().AwaitAttached(static_cast<std::size_t>(flags.hosts))) {
    return absl::DeadlineExceededError("not all agents came");
  }
  const double attach = absl::ToDoubleSeconds(SystemClock().Monotonic() - begun);
  SystemClock().Sleep(kSettle);
  const std::int64_t idle = ResidentBytes();

  SLIPWAY_RETURN_IF_ERROR(bench.Burst(1));  // warms up
  const double cpu = CpuSeconds();
  const absl::Duration start = SystemClock().Monotonic();
  SLIPWAY_RETURN_IF_ERROR(bench.Burst(flags.rounds));
  const double wall = absl::ToDoubleSeconds(SystemClock().Monotonic() - start);
  const double acks = static_cast<double>(flags.hosts) * flags.rounds;
  const double burst_cpu = CpuSeconds() - cpu;
  std::printf("{\"beats\": \"counting begins\"}\n");
  std::fflush(stdout);
  const double beats_cpu = CpuSeconds();
  SystemClock().Sleep(absl::Seconds(flags.beats));
  std::printf(
      "{\"hosts\": %d, \"plain\": %s, \"attach_s\": %.2f, \"bytes_per_session\": %.0f, "
      "\"acks_per_s\": %.0f, \"cpu_us_per_ack\": %.1f, \"beats_cpu_s\": %.3f, \"lost\": %d}\n",
      flags.hosts, flags.plain ? "true" : "false", attach,
      static_cast<double>(idle - empty) / flags.hosts, acks / wall, burst_cpu / acks * 1e6,
      CpuSeconds() - beats_cpu, bench.counter().lost());
  std::fflush(stdout);
  return absl::OkStatus();
}

absl::Status Run(const std::vector<std::string>& arguments) {
  SLIPWAY_ASSIGN_OR_RETURN(
      const CommandLine line,
      ParseCommandLine(arguments, {"controller", "hosts", "rounds", "beats"}, {"plain"}));
  Flags flags;
  flags.config.dir = line.Get("controller");
  flags.config.hosts = {"127.0.0.1"};
  flags.plain = line.Has("plain");
  SLIPWAY_RETURN_IF_ERROR(Count(line, "hosts", flags.hosts));
  SLIPWAY_RETURN_IF_ERROR(Count(line, "rounds", flags.rounds));
  SLIPWAY_RETURN_IF_ERROR(Count(line, "beats", flags.beats));
  if (flags.config.dir.empty() || flags.hosts < 1 || flags.rounds < 1) {
    return absl::InvalidArgumentError("--controller DIR and --hosts N are needed");
  }
  return Measure(flags);
}

}  // namespace
}  // namespace slipway::controller

int main(int argc, char** argv) {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);  // as the controller does
  slipway::log::Init("session_bench", slipway::log::Level::error);
  slipway::tls::LogThroughUs();
  const absl::Status status =
      slipway::controller::Run(std::vector<std::string>(argv + 1, argv + argc));
  if (status.ok()) return 0;
  std::fprintf(stderr, "session_bench: %s\n", std::string(status.message()).c_str());
  return 1;
}
