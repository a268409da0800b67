#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <vector>

#include "agent/services/fake_service_manager.h"
#include "agent/services/process_service_manager.h"
#include "common/fs/test_directory.h"
#include "common/manual_clock.h"
#include "tests/conformance/service_hosts.h"

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
                        .refuses = RefusalOf(conduct)});
    return {.id = id, .release_dir = release, .argv = {"bin/shop"}, .ports = {8080}};
  }
  std::string RefusalOf(const Conduct& conduct) const override {
    if (conduct.forbidden) return "Permission denied";
    return conduct.missing || conduct.undefined ? "No such file or directory" : "";
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
    if (conduct.leaves_socket) spec.argv.push_back("--leave-socket");
    if (conduct.undefined) std::filesystem::remove_all(release);
    if (conduct.forbidden) {
      std::filesystem::permissions(release + "/bin/shop", std::filesystem::perms::owner_read);
    }
    if (conduct.dies) spec.argv.insert(spec.argv.end(), {"--die-after", "20"});
    return spec;
  }
  std::string RefusalOf(const Conduct& conduct) const override {
    return conduct.forbidden ? "Permission denied" : "No such file or directory";
  }
  void RestartAgent() override {
    auto opened = ProcessServiceManager::Open(folder_.path() + "/services", launcher_, clock());
    if (opened.ok()) services_ = *std::move(opened);
  }
  void Occupy(const ServiceSpec& spec) override { sockets_.push_back(ListenOn(spec.ports[0])); }
  void Connect(const ServiceSpec& spec) override { sockets_.push_back(ConnectTo(spec.ports[0])); }
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

std::vector<HostKind> HostKinds() {
  return {{"fake", [] { return std::make_unique<FakeHost>(); }},
          {"process", [] { return std::make_unique<ProcessHost>(); }}};
}

}  // namespace slipway::agent
