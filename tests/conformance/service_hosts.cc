#include "tests/conformance/service_hosts.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <vector>

#include "agent/services/fake_service_manager.h"
#include "agent/services/process_service_manager.h"
#include "common/fs/test_directory.h"
#include "common/manual_clock.h"

namespace slipway::agent {
namespace {

class FakeHost final : public ServiceHost {
 public:
  ServiceManager& services() override { return services_; }
  const Clock& clock() const override { return clock_; }
  std::string app() const override { return "/srv/shop"; }
  ServiceSpec Spec(const Conduct& conduct, const std::string& release) override {
    const ServiceId id{app(), "shop"};
    services_.Conducts(id,
                       {.first_words = conduct.says + "\n",
                        .last_words = conduct.dies ? "FATAL out of luck\n" : "",
                        .dies_after = conduct.dies || conduct.daemonizes ? absl::ZeroDuration()
                                                                         : absl::InfiniteDuration(),
                        .ignores_term = conduct.ignores_term,
                        .leaves_process = false,
                        .refuses = conduct.missing ? "No such file or directory" : ""});
    return {.id = id, .release_dir = release, .argv = {"bin/shop"}, .ports = {8080}};
  }
  void RestartAgent() override {}
  void Occupy(const ServiceSpec& spec) override {
    services_.Occupy(spec.ports[0], "pid " + std::to_string(getpid()) + " /opt/other");
  }
  void Connect(const ServiceSpec& spec) override { services_.SetConnections(spec.id, 1); }
  int Instances(const ServiceSpec& spec) override {
    return services_.Inspect(spec.id).state == ServiceStatus::State::running ? 1 : 0;
  }

 private:
  ManualClock clock_;
  FakeServiceManager services_{clock_};
};

sockaddr_in Loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

class ProcessHost final : public ServiceHost {
 public:
  ProcessHost() { RestartAgent(); }
  ~ProcessHost() override {
    for (const int fd : sockets_) close(fd);
    for (const ServiceId& id : services_->Services()) {
      (void)services_->Stop(id, {.ladder = {{.signal = SIGKILL}}});
    }
  }
  ServiceManager& services() override { return *services_; }
  const Clock& clock() const override { return SystemClock(); }
  std::string app() const override { return folder_.path() + "/shop"; }

  // A program of its own in each release, so that /proc/PID/exe tells them apart.
  ServiceSpec Spec(const Conduct& conduct, const std::string& release) override {
    std::filesystem::create_directories(release + "/bin");
    std::filesystem::copy_file(SLIPWAY_SERVICE_TESTBIN, release + "/bin/shop",
                               std::filesystem::copy_options::skip_existing);
    const std::uint16_t port = UnusedPort();
    ServiceSpec spec{.id = {app(), "shop"},
                     .release_dir = release,
                     .argv = {conduct.missing ? "bin/absent" : "bin/shop", "--port",
                              std::to_string(port), "--say", conduct.says},
                     .ports = {port}};
    if (conduct.ignores_term) spec.argv.push_back("--ignore-term");
    if (conduct.daemonizes) spec.argv.push_back("--daemonize");
    if (conduct.keeps_child) spec.argv.push_back("--child");
    if (conduct.dies) spec.argv.insert(spec.argv.end(), {"--die-after", "20"});
    return spec;
  }
  void RestartAgent() override {
    auto opened = ProcessServiceManager::Open(folder_.path() + "/services", launcher_, clock());
    if (opened.ok()) services_ = *std::move(opened);
  }
  void Occupy(const ServiceSpec& spec) override {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = Loopback(spec.ports[0]);
    if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) listen(fd, 1);
    sockets_.push_back(fd);
  }
  void Connect(const ServiceSpec& spec) override {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = Loopback(spec.ports[0]);
    while (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    }
    sockets_.push_back(fd);
  }
  int Instances(const ServiceSpec& spec) override {
    const std::string path = spec.release_dir + "/" + spec.argv[0];
    int count = 0;
    for (const ProcessStat& process : AllProcesses()) count += ExecutableOf(process.pid) == path;
    return count;
  }

 private:
  TestDirectory folder_;
  ExecLauncher launcher_{{SLIPWAY_EXEC_SHIM}};
  std::unique_ptr<ProcessServiceManager> services_;
  std::vector<int> sockets_;
};

}  // namespace

std::uint16_t UnusedPort() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof address;
  bind(fd, reinterpret_cast<const sockaddr*>(&address), size);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  close(fd);
  return ntohs(address.sin_port);
}

std::unique_ptr<ServiceHost> MakeFakeHost() {
  return std::make_unique<FakeHost>();
}
std::unique_ptr<ServiceHost> MakeProcessHost() {
  return std::make_unique<ProcessHost>();
}

}  // namespace slipway::agent
