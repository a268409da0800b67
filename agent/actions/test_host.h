// A complete host for tests of actions: real releases and hooks in a folder, services in memory,
// time by hand.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/actions/action.h"
#include "agent/releases/fake_content_source.h"
#include "agent/releases/host_releases.h"
#include "agent/services/fake_service_manager.h"
#include "agent/services/hook_runner.h"
#include "agent/state/output_spool.h"
#include "common/artifact/digest.h"
#include "common/fs/test_directory.h"
#include "common/manual_clock.h"
#include "slipway/v1/action.pb.h"

namespace slipway::agent {

class TestHost {
 public:
  // Releases 1.0 and 2.0 of "shop": component backend with service "shop" that must log
  // "listening" within 10 s and never FATAL, and hooks ok, fails, later, slow and gone (undone by
  // ok). 1.0 is live, staged and healthy; 2.0 is staged.
  // Both have migration 0001 of a table "items" in db/migrations.
  // `unit`: of systemd, that the service is; "" = the agent runs it.
  explicit TestHost(const std::string& unit = "");
  ~TestHost();

  std::string app() const { return home_ / "shop"; }
  ServiceId shop() const { return {app(), "shop"}; }
  v1::Release Release(const std::string& version) const;
  std::string digest(const std::string& version) const { return digests_.at(version); }
  // A task of release 2.0 on app().
  v1::Task Task() const;

  // The service runs from `version`, as after a good start.
  void RunShop(const std::string& version);

  struct Attempt {
    Direction direction = Direction::apply;
    bool probe = false;
    std::string previous = "1.0";  // version; "" = nothing was there
    absl::Duration timeout = absl::Minutes(10);
    int number = 1;
    bool cancelled = false;
  };
  AttemptEnd Do(const Action& action, const v1::Task& task, const Attempt& attempt);
  AttemptEnd Do(const Action& action, const v1::Task& task) { return Do(action, task, Attempt{}); }

  // What the agent knew only in memory is gone; the host goes on.
  void RestartAgent();

  std::string said() const { return spool_->Tail(1 << 16); }

  ManualClock clock;
  FakeServiceManager services{clock};
  FakeContentSource content;
  std::map<std::string, std::string> vars;
  std::function<void(std::string_view text)> on_progress = [](std::string_view) {};

  HostReleases& releases() { return *releases_; }
  HookRunner& hooks() { return *hooks_; }
  OutputArchive& output() { return *archive_; }
  DatabasePlaces databases() const;

 private:
  const std::string unit_;
  TestDirectory home_;
  const std::string memory_ = "/dev/shm/slipway-host-" + Digest::Of(home_.path()).Short();
  ExecLauncher launcher_{{SLIPWAY_EXEC_SHIM}};
  std::map<std::string, std::string> digests_;
  std::unique_ptr<HostReleases> releases_;
  std::unique_ptr<HookRunner> hooks_;
  std::unique_ptr<OutputArchive> archive_;
  std::unique_ptr<OutputSpool> spool_;
};

}  // namespace slipway::agent
