#include "agent/actions/test_host.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "absl/strings/str_cat.h"

namespace slipway::agent {
namespace {

constexpr char kShell[] = "#!/bin/sh\n";

void AddHook(v1::Release& release, const std::string& name, const std::string& undo,
             bool idempotent) {
  v1::Hook& hook = *release.add_hooks();
  hook.set_path("hooks/" + name);
  hook.set_undo(undo);
  hook.set_idempotent(idempotent);
}

v1::Release ReleaseYaml(const std::string& version, const std::string& unit) {
  v1::Release release;
  release.set_name("shop");
  release.set_version(version);
  v1::Component& component = *release.add_components();
  component.set_name("backend");
  component.set_path("backend/");
  v1::Service& service = *release.add_services();
  service.set_name("shop");
  service.set_component("backend");
  service.set_unit(unit);
  if (unit.empty()) service.add_run("bin/shop");
  if (unit.empty()) service.add_run("--data={{shared}}/data");
  service.set_port(8080);
  service.add_ladder("TERM");
  service.add_ladder("2s");
  service.add_ladder("KILL");
  service.set_ready_file("{{shared}}/in-traffic");
  service.mutable_notice()->set_seconds(1);
  service.mutable_ready()->set_must_match("listening");
  service.mutable_ready()->add_must_not_match("FATAL");
  service.mutable_ready()->mutable_deadline()->set_seconds(10);
  AddHook(release, "ok", "not_needed", true);
  AddHook(release, "fails", "impossible", false);
  AddHook(release, "later", "not_needed", true);
  AddHook(release, "slow", "not_needed", false);
  AddHook(release, "gone", "hooks/ok", false);
  return release;
}

}  // namespace

DatabasePlaces TestHost::databases() const {
  // Only /dev/shm is on tmpfs everywhere.
  return {.folder = home_ / "databases", .secrets = home_ / "secrets", .memory = memory_};
}

TestHost::~TestHost() {
  std::error_code ignored;
  std::filesystem::remove_all(memory_, ignored);
}

TestHost::TestHost(const std::string& unit) : unit_(unit) {
  releases_ = *HostReleases::Open(home_ / "agent");
  hooks_ = *HookRunner::Open(home_ / "hooks", launcher_, clock);
  archive_ = *OutputArchive::Open(home_ / "output");
  spool_ = *archive_->SpoolOf({.rollout = {"ro-1"}, .host = {"web-1"}});
  for (const std::string version : {"1.0", "2.0"}) {
    digests_[version] = content.AddRelease(
        ReleaseYaml(version, unit_),
        {{"backend/bin/shop", "program " + version, 0755},
         {"db/migrations/0001_items.up.sql",
          "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT NOT NULL);\n"},
         {"db/migrations/0001_items.down.sql", "DROP TABLE items;\n"},
         {"db/migrations/0001_items.verify.sql", "SELECT id FROM items WHERE name = '';\n"},
         {"backend/shop.conf.tmpl", "release = {{release.version}}\n"},
         {"hooks/fails", std::string(kShell) + "echo it went wrong >&2; exit 3", 0755},
         {"hooks/gone", std::string(kShell) + "exit 0", 0755},
         {"hooks/later", std::string(kShell) + "exit 75", 0755},
         {"hooks/ok",
          std::string(kShell) + "echo \"$SLIPWAY_VERSION after $SLIPWAY_PREVIOUS_VERSION "
                                "$1 on $SLIPWAY_HOST\"",
          0755},
         {"hooks/slow", std::string(kShell) + "sleep 300", 0755}});
    const absl::Status staged =
        releases_->Stage({app(), digests_[version], "backend", "ro-0", 5}, content, {});
    EXPECT_TRUE(staged.ok()) << staged;
  }
  EXPECT_TRUE(releases_->SwitchTo(app(), digest("1.0")).ok());
  EXPECT_TRUE(releases_->MarkHealthy(app(), digest("1.0")).ok());
}

v1::Release TestHost::Release(const std::string& version) const {
  v1::Release release = ReleaseYaml(version, unit_);
  release.set_digest(digest(version));
  return release;
}

v1::Task TestHost::Task() const {
  v1::Task task;
  task.set_phase("backend");
  task.set_step("the step");
  task.set_environment("test");
  task.set_app(app());
  *task.mutable_release() = Release("2.0");
  return task;
}

void TestHost::RunShop(const std::string& version) {
  const absl::Status started =
      services.Start({.id = shop(),
                      .release_dir = *releases_->ReleaseDir(app(), digest(version)),
                      .argv = {"bin/shop"},
                      .ports = {8080}});
  EXPECT_TRUE(started.ok()) << started;
}

void TestHost::RestartAgent() {
  releases_.reset();
  releases_ = *HostReleases::Open(home_ / "agent");
}

AttemptEnd TestHost::Do(const Action& action, const v1::Task& task, const Attempt& attempt) {
  const CommandId id{.rollout = {"ro-1"}, .host = {"web-1"}, .attempt = attempt.number};
  ActionContext ctx{.clock = clock,
                    .services = services,
                    .releases = *releases_,
                    .hooks = *hooks_,
                    .content = content,
                    .output = *spool_,
                    .progress = [this](std::string_view text, std::uint64_t,
                                       std::uint64_t) { on_progress(text); },
                    .stopping = [] { return false; },
                    .id = id,
                    .task = task,
                    .vars = vars,
                    .direction = attempt.direction,
                    .previous = attempt.previous.empty() ? "" : digest(attempt.previous),
                    .deadline = clock.Monotonic() + attempt.timeout,
                    .cancelled = [&] { return attempt.cancelled; },
                    .databases = databases()};
  if (attempt.probe) return action.Probe(ctx);
  return attempt.direction == Direction::undo ? action.Undo(ctx) : action.Apply(ctx);
}

}  // namespace slipway::agent
