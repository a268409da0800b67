// slipway-controller: init, operator add, run, prepare-store, migrate-store.
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "common/clock.h"
#include "common/flags.h"
#include "common/log.h"
#include "common/status_macros.h"
#include "common/supervisor.h"
#include "common/tls/credentials.h"
#include "common/version.h"
#include "controller/config.h"
#include "controller/open_store.h"
#include "controller/server.h"
#include "controller/setup.h"

namespace slipway::controller {
namespace {

constexpr char kUsage[] =
    "usage: slipway-controller init --dir DIR --name HOST... [--operator NAME] [--listen-... "
    "ADDR]\n"
    "       slipway-controller operator add NAME --dir DIR\n"
    "       slipway-controller run --dir DIR [--listen-operators ADDR] [--listen-agents ADDR]\n"
    "                              [--listen-enrolment ADDR] [--listen-metrics ADDR|off]\n"
    "                              [--store URL]\n"
    "       slipway-controller prepare-store --store URL-OF-OWNER --service ROLE\n"
    "       slipway-controller migrate-store --dir DIR --store URL\n"
    "URL: postgresql://ROLE@HOST:PORT/DATABASE; its password: --store-password-file FILE, or\n"
    "pgpass, or the systemd credential store-password\n";

void Overrule(Config& config, const CommandLine& line) {
  config.listen_operators = line.Get("listen-operators", config.listen_operators);
  config.listen_agents = line.Get("listen-agents", config.listen_agents);
  config.listen_enrolment = line.Get("listen-enrolment", config.listen_enrolment);
  config.listen_metrics = line.Get("listen-metrics", config.listen_metrics);
  config.store = line.Get("store", config.store);
  config.store_password_file = line.Get("store-password-file", config.store_password_file);
}

absl::Status Init(const std::string& dir, const CommandLine& line) {
  Config config;
  config.dir = dir;
  if (line.Has("name")) config.hosts = line.All("name");
  Overrule(config, line);
  const std::string person = line.Get("operator", "admin");
  SLIPWAY_RETURN_IF_ERROR(Initialise(config, person, SystemClock().Now()));
  std::printf("controller  %s\noperator    %s/operators/%s/config.yaml\n", dir.c_str(), dir.c_str(),
              person.c_str());
  return absl::OkStatus();
}

// The signals that end a daemon are waited for; no thread is to die of them.
sigset_t BlockEndSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

absl::Status Run(const Config& config) {
  const sigset_t signals = BlockEndSignals();
  Supervisor supervisor(SystemClock());
  log::Init("slipway-controller", log::Level::info);
  tls::LogThroughUs();
  SLIPWAY_ASSIGN_OR_RETURN(const auto server, Server::Start(config, SystemClock(), supervisor));
  int signal = 0;
  sigwait(&signals, &signal);
  supervisor.Stopping();
  log::Info("going down", {{"signal", signal}});
  return absl::OkStatus();
}

absl::Status Prepare(const CommandLine& line) {
  log::Init("slipway-controller", log::Level::warn);
  Config config;
  Overrule(config, line);
  const std::string service = line.Get("service");
  if (config.store.empty() || service.empty()) return absl::InvalidArgumentError(kUsage);
  SLIPWAY_RETURN_IF_ERROR(PrepareStore(config, service));
  std::printf("store       ready for role %s\n", service.c_str());
  return absl::OkStatus();
}

absl::Status Migrate(const Config& config) {
  if (config.store.empty()) return absl::InvalidArgumentError(kUsage);
  log::Init("slipway-controller", log::Level::warn);
  SLIPWAY_ASSIGN_OR_RETURN(const std::string done, MigrateStore(config));
  std::printf("store       %s\n", done.c_str());
  return absl::OkStatus();
}

absl::Status Execute(const CommandLine& line) {
  const auto& words = line.words;
  if (words.size() == 1 && words[0] == "prepare-store") return Prepare(line);
  const std::string dir = line.Get("dir");
  if (words.empty() || dir.empty()) return absl::InvalidArgumentError(kUsage);
  SLIPWAY_RETURN_IF_ERROR(CheckOwner(dir, geteuid()));
  if (words[0] == "init" && words.size() == 1) return Init(dir, line);
  SLIPWAY_ASSIGN_OR_RETURN(Config config, ReadConfig(dir));
  Overrule(config, line);
  if (words[0] == "operator" && words.size() == 3 && words[1] == "add") {
    SLIPWAY_ASSIGN_OR_RETURN(const std::string folder,
                             AddOperator(config, words[2], SystemClock().Now()));
    std::printf("operator    %s/config.yaml\n", folder.c_str());
    return absl::OkStatus();
  }
  if (words[0] == "run" && words.size() == 1) return Run(config);
  if (words[0] == "migrate-store" && words.size() == 1) return Migrate(config);
  return absl::InvalidArgumentError(kUsage);
}

int Main(const std::vector<std::string>& arguments) {
  if (arguments.size() == 1 && arguments[0] == "--version") {
    std::printf("slipway-controller %s\n", std::string(Version()).c_str());
    return 0;
  }
  const auto line = ParseCommandLine(
      arguments,
      {"dir", "name", "operator", "listen-operators", "listen-agents", "listen-enrolment",
       "listen-metrics", "store", "store-password-file", "service"},
      {});
  const absl::Status status = line.ok() ? Execute(*line) : line.status();
  if (status.ok()) return 0;
  std::fprintf(stderr, "slipway-controller: %s\n", std::string(status.message()).c_str());
  return absl::IsInvalidArgument(status) ? 2 : 1;
}

}  // namespace
}  // namespace slipway::controller

int main(int argc, char** argv) {
  // Debian's Abseil looks for deadlocks at each lock, which halves the throughput of gRPC.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  return slipway::controller::Main(std::vector<std::string>(argv + 1, argv + argc));
}
