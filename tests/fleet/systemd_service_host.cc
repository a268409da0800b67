#include "tests/fleet/systemd_service_host.h"

#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "common/process/proc.h"

namespace slipway::agent {
namespace {

std::string NextUnit() {
  static int made = 0;
  return "shop-" + std::to_string(++made) + ".service";
}

}  // namespace

SystemdHost::SystemdHost() : unit_(NextUnit()) {
  RestartAgent();
}

SystemdHost::~SystemdHost() {
  for (const int fd : sockets_) close(fd);
  (void)services_->Stop({app(), "shop"}, {.ladder = {{.signal = SIGKILL}}, .unit = unit_});
  std::filesystem::remove("/run/systemd/system/" + unit_);
}

void SystemdHost::RestartAgent() {
  services_ = std::make_unique<SystemdServiceManager>(folder_.path() + "/units", systemd_, journal_,
                                                      clock());
}

ServiceSpec SystemdHost::SpecWith(const Conduct& conduct, const std::string& release,
                                  const std::string& settings) {
  namespace fs = std::filesystem;
  fs::create_directories(release + "/bin");
  fs::copy_file(SLIPWAY_SERVICE_TESTBIN, release + "/bin/shop", fs::copy_options::skip_existing);
  fs::remove(app() + "/current");
  fs::create_symlink(release, app() + "/current");
  const std::uint16_t port = UnusedPort();
  ServiceSpec spec{.id = {app(), "shop"},
                   .release_dir = release,
                   .unit = unit_,
                   .argv = {conduct.missing ? "bin/absent" : "bin/shop"},
                   .ports = {port}};
  const fs::path path = "/run/systemd/system/" + unit_;
  fs::remove(path);
  if (conduct.undefined) return spec;
  if (conduct.forbidden) {
    fs::create_symlink("/dev/null", path);
    return spec;
  }
  std::ofstream file(path);
  file << "[Service]\nType=exec\nWorkingDirectory=" << app() << "/current\n"
       << "Environment=SLIPWAY_RELEASE=" << release << "\n"
       << settings << "ExecStart=" << app() << "/current/" << spec.argv[0] << " --port " << port
       << " --say \"" << conduct.says << "\"";
  if (conduct.ignores_term) file << " --ignore-term";
  if (conduct.daemonizes) file << " --daemonize";
  if (conduct.keeps_child) file << " --child";
  if (conduct.leaves_socket) file << " --leave-socket";
  if (conduct.dies) file << " --die-after 20";
  file << "\n";
  return spec;
}

int SystemdHost::Instances(const ServiceSpec& spec) {
  const std::string path = spec.release_dir + "/" + spec.argv[0];
  int count = 0;
  for (const ProcessStat& process : AllProcesses()) count += ExecutableOf(process.pid) == path;
  return count;
}

std::vector<HostKind> HostKinds() {
  return {{"systemd", [] { return std::make_unique<SystemdHost>(); }}};
}

}  // namespace slipway::agent
