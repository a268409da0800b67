// slipway-agent: enroll, run, exec.
#include <signal.h>
#include <time.h>

#include <cstdio>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "agent/agent.h"
#include "agent/config.h"
#include "agent/enrol.h"
#include "agent/mapped_code.h"
#include "agent/read_token.h"
#include "agent/services/exec_shim.h"
#include "common/clock.h"
#include "common/flags.h"
#include "common/log.h"
#include "common/status_macros.h"
#include "common/supervisor.h"
#include "common/tls/credentials.h"
#include "common/version.h"

namespace slipway::agent {
namespace {

constexpr char kUsage[] =
    "usage: slipway-agent enroll --token-file FILE|- --dir DIR [--label KEY=VALUE...] [--again]\n"
    "       slipway-agent run --dir DIR\n";

absl::Status Enroll(const CommandLine& line, const std::string& dir) {
  EnrolOrder order;
  order.dir = dir;
  order.again = line.Has("again");
  SLIPWAY_ASSIGN_OR_RETURN(order.labels, ParseLabels(line.All("label")));
  SLIPWAY_ASSIGN_OR_RETURN(order.token, ReadToken(line.Get("token-file")));
  SLIPWAY_RETURN_IF_ERROR(Enrol(order));
  std::printf("enrolled as %s; `slipway-agent run --dir %s` goes on from here\n",
              order.token.host.c_str(), dir.c_str());
  return absl::OkStatus();
}

absl::Status Run(const std::string& dir) {
  // The signals that end a daemon are waited for; no thread is to die of them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  Supervisor supervisor(SystemClock());
  log::Init("slipway-agent", log::Level::info);
  tls::LogThroughUs();
  SLIPWAY_ASSIGN_OR_RETURN(const Config config, ReadConfig(dir));
  log::TagJournal("host", config.host);
  SLIPWAY_ASSIGN_OR_RETURN(const auto agent, Agent::Start(config, SystemClock(), supervisor));
  std::thread waiter([&] {
    // By then it has attached, or waits for its controller.
    constexpr timespec kStarted{10, 0};
    int signal = 0;
    if (sigtimedwait(&signals, nullptr, &kStarted) < 0) {
      DropMappedCode();
      sigwait(&signals, &signal);
    }
    agent->Stop();
  });
  const absl::Status end = agent->Wait();
  supervisor.Stopping();
  pthread_kill(waiter.native_handle(), SIGTERM);
  waiter.join();
  return end;
}

absl::Status Execute(const CommandLine& line) {
  const std::string dir = line.Get("dir");
  if (line.words.size() != 1 || dir.empty()) return absl::InvalidArgumentError(kUsage);
  if (line.words[0] == "enroll" && line.Has("token-file")) return Enroll(line, dir);
  if (line.words[0] == "run") return Run(dir);
  return absl::InvalidArgumentError(kUsage);
}

int Main(const std::vector<std::string>& arguments) {
  const auto line = ParseCommandLine(arguments, {"dir", "token-file", "label"}, {"again"});
  const absl::Status status = line.ok() ? Execute(*line) : line.status();
  if (status.ok()) return 0;
  std::fprintf(stderr, "slipway-agent: %s\n", std::string(status.message()).c_str());
  return absl::IsInvalidArgument(status) ? 2 : 1;
}

}  // namespace
}  // namespace slipway::agent

int main(int argc, char** argv) {
  // The shim between the agent and each of its children: small, and before anything of gRPC.
  if (argc == 3 && std::strcmp(argv[1], "exec") == 0) return slipway::agent::ExecShimMain(argv[2]);
  if (argc == 2 && std::strcmp(argv[1], "--version") == 0) {
    std::printf("slipway-agent %s\n", std::string(slipway::Version()).c_str());
    return 0;
  }
  // Debian's Abseil looks for deadlocks at each lock, which halves the throughput of gRPC.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  return slipway::agent::Main(std::vector<std::string>(argv + 1, argv + argc));
}
