// What every action in the table promises: twice is once, a probe never acts, the deadline is kept,
// an undo may repeat, and a failure names what it is about.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <ostream>
#include <set>

#include "agent/actions/action_table.h"
#include "agent/actions/test_host.h"

namespace slipway::agent {
namespace {

using Attempt = TestHost::Attempt;
using testing::HasSubstr;

// One action and how to make a host for it.
struct Kind {
  std::string name;
  std::function<void(TestHost&, v1::Action&)> fill;
  // What a probe says when nothing of the attempt happened.
  Verdict untouched = Verdict::succeeded;
  std::function<void(TestHost&)> prepare = [](TestHost&) {};
  // Makes the action fail, and what the failure must name.
  std::function<void(TestHost&, v1::Task&)> spoil = nullptr;
  std::string names = {};
};
std::ostream& operator<<(std::ostream& out, const Kind& kind) {
  return out << kind.name;
}

class ActionConformance : public testing::TestWithParam<Kind> {
 protected:
  ActionConformance() {
    GetParam().prepare(host_);
    GetParam().fill(host_, *task_.mutable_action());
    action_ = FindAction(task_);
  }
  void SetUp() override { ASSERT_NE(action_, nullptr); }
  AttemptEnd Do(const Attempt& attempt = {}) { return host_.Do(*action_, task_, attempt); }

  // All that an action may change: links and bytes below the app, and services.
  std::string Snapshot() {
    std::set<std::string> lines;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(host_.app(), ignored)) {
      if (entry.is_directory() && !entry.is_symlink()) continue;  // an empty folder is no effect
      std::string line = entry.path().string();
      if (entry.is_symlink()) line += " -> " + std::filesystem::read_symlink(entry).string();
      if (entry.is_regular_file()) line += " " + std::to_string(entry.file_size());
      lines.insert(line);
    }
    const ServiceStatus shop = host_.services.Inspect(host_.shop());
    const bool runs = shop.state == ServiceStatus::State::running;
    std::string text = runs ? shop.release_dir + " pid " + std::to_string(shop.pid) : "stopped";
    for (const std::string& line : lines) text += "\n" + line;
    return text;
  }

  TestHost host_;
  v1::Task task_ = host_.Task();
  const Action* action_ = nullptr;
};

TEST_P(ActionConformance, NameIsThatOfThePlan) {
  EXPECT_EQ(action_->Name(), GetParam().name);
}

TEST_P(ActionConformance, TwiceIsOnce) {
  const AttemptEnd first = Do();
  ASSERT_EQ(first.verdict, Verdict::succeeded) << first.message;
  const std::string after = Snapshot();
  const AttemptEnd second = Do({.number = 2});
  EXPECT_EQ(second.verdict, Verdict::succeeded) << second.message;
  EXPECT_EQ(Snapshot(), after);
}

TEST_P(ActionConformance, ProbeOfWhatNeverHappenedActsNot) {
  const std::string before = Snapshot();
  const AttemptEnd probed = Do({.probe = true});
  EXPECT_EQ(probed.verdict, GetParam().untouched) << probed.message;
  EXPECT_EQ(Snapshot(), before);
}

// As after a crash between the effect and its record.
TEST_P(ActionConformance, ProbeOfWhatHappenedSaysSo) {
  ASSERT_EQ(Do().verdict, Verdict::succeeded);
  const std::string after = Snapshot();
  const AttemptEnd probed = Do({.probe = true});
  EXPECT_EQ(probed.verdict, Verdict::succeeded) << probed.message;
  EXPECT_EQ(Snapshot(), after);
}

TEST_P(ActionConformance, UndoMayRepeatAndMayComeWithoutAnApply) {
  for (int number : {2, 3}) {
    const AttemptEnd undone = Do({.direction = Direction::undo, .number = number});
    EXPECT_EQ(undone.verdict, Verdict::succeeded) << undone.message;
  }
  const std::string back = Snapshot();
  ASSERT_EQ(Do().verdict, Verdict::succeeded);
  for (int number : {4, 5}) {
    const AttemptEnd undone = Do({.direction = Direction::undo, .number = number});
    EXPECT_EQ(undone.verdict, Verdict::succeeded) << undone.message;
  }
  // A release that is unpinned lies there until it is collected, a start has another pid, and a
  // database file does not get smaller.
  const std::set<std::string> others = {"stage", "stop", "migrate"};
  if (!others.contains(GetParam().name)) {
    EXPECT_EQ(Snapshot(), back);
  }
}

TEST_P(ActionConformance, DeadlineIsKept) {
  const absl::Duration began = host_.clock.Monotonic();
  (void)Do({.timeout = absl::Seconds(1)});
  EXPECT_LE(host_.clock.Monotonic() - began, absl::Seconds(1));
}

TEST_P(ActionConformance, FailureNamesItsObject) {
  if (!GetParam().spoil) {
    EXPECT_EQ(Do().verdict, Verdict::succeeded) << "this one has no way to fail";
    return;
  }
  GetParam().spoil(host_, task_);
  const AttemptEnd end = Do();
  EXPECT_EQ(end.verdict, Verdict::failed);
  EXPECT_THAT(end.message, HasSubstr(GetParam().names));
  EXPECT_EQ(end.message.find('\n'), std::string::npos);
}

void RunOld(TestHost& host) {
  host.RunShop("1.0");
}

void BreakService(TestHost&, v1::Task& task) {
  task.mutable_release()->clear_services();
}

std::vector<Kind> KindsThatLookOrDeploy() {
  return {
      {.name = "noop", .fill = [](TestHost&, v1::Action& a) { a.mutable_noop(); }},
      {.name = "preflight",
       .fill = [](TestHost&, v1::Action& a) { a.mutable_preflight()->set_cpus(1); },
       .spoil =
           [](TestHost&, v1::Task& t) {
             t.mutable_action()->mutable_preflight()->add_files("/nowhere/file");
           },
       .names = "/nowhere/file"},
      {.name = "readiness",
       .fill = [](TestHost& h, v1::Action& a) { a.mutable_readiness()->add_apps(h.app()); },
       .spoil =
           [](TestHost&, v1::Task& t) {
             t.mutable_action()->mutable_readiness()->set_disk_free(std::uint64_t{1} << 60);
           },
       .names = "/shop"},
      {.name = "stage",
       .fill = [](TestHost&, v1::Action& a) { a.mutable_stage()->set_component("backend"); },
       .spoil = [](TestHost&,
                   v1::Task& t) { t.mutable_action()->mutable_stage()->set_component("nonsense"); },
       .names = "nonsense"},
      {.name = "switch",
       .fill = [](TestHost&, v1::Action& a) { a.mutable_switch_(); },
       .untouched = Verdict::not_applied,
       .spoil =
           [](TestHost&, v1::Task& t) {
             t.mutable_release()->set_digest("sha256:" + std::string(64, '0'));
           },
       .names = "/shop"},
      {.name = "configure",
       .fill =
           [](TestHost&, v1::Action& a) {
             a.mutable_configure()->set_from("shop.conf.tmpl");
             a.mutable_configure()->set_to("{{shared}}/etc/shop.conf");
           },
       .untouched = Verdict::not_applied,
       .spoil = [](TestHost&,
                   v1::Task& t) { t.mutable_action()->mutable_configure()->set_from("absent"); },
       .names = "absent"},
  };
}

std::vector<Kind> KindsForServices() {
  return {
      {.name = "stop",
       .fill = [](TestHost&, v1::Action& a) { a.mutable_stop()->set_service("shop"); },
       .untouched = Verdict::not_applied,
       .prepare = RunOld,
       .spoil = [](TestHost& h, v1::Task&) { h.services.Occupy(8080, "pid 4121 /opt/old/shop"); },
       .names = "port 8080 belongs to pid 4121 /opt/old/shop"},
      {.name = "start",
       .fill = [](TestHost&, v1::Action& a) { a.mutable_start()->set_service("shop"); },
       .untouched = Verdict::not_applied,
       .spoil = BreakService,
       .names = "release shop 2.0 has no service shop"},
      {.name = "check",
       .fill = [](TestHost&, v1::Action& a) { a.mutable_check()->set_process("shop"); },
       .prepare = RunOld,
       .spoil = [](TestHost& h, v1::Task&) { h.services.Die(h.shop()); },
       .names = "shop does not run: it was ended by SIGKILL"},
      {.name = "run",
       .fill = [](TestHost&, v1::Action& a) { a.mutable_run()->set_hook("hooks/ok"); },
       .untouched = Verdict::not_applied,
       .spoil = [](TestHost&,
                   v1::Task& t) { t.mutable_action()->mutable_run()->set_hook("hooks/fails"); },
       .names = "hooks/fails exited with status 3"},
      {.name = "bake",
       .fill =
           [](TestHost& h, v1::Action& a) {
             a.mutable_bake()->mutable_lasts()->set_seconds(1);
             a.mutable_bake()->add_apps(h.app());
           },
       .prepare = RunOld,
       .spoil = [](TestHost& h, v1::Task&) { h.services.Die(h.shop()); },
       .names = "shop 1.0 was ended by SIGKILL"},
  };
}

// An empty file is an empty database of SQLite.
void MakeDatabase(TestHost& host) {
  std::filesystem::create_directories(host.app() + "/shared");
  std::ofstream(host.app() + "/shared/live.db");
}

void FillTarget(const TestHost& host, v1::DatabaseTarget& target) {
  target.set_name("items");
  target.set_kind(v1::DatabaseTarget::SQLITE);
  target.set_url(host.app() + "/shared/live.db");
  target.set_migrations("db/migrations");
}

std::vector<Kind> KindsForDatabases() {
  return {
      {.name = "backup",
       .fill = [](TestHost& h,
                  v1::Action& a) { FillTarget(h, *a.mutable_backup()->mutable_target()); },
       .untouched = Verdict::not_applied,
       .prepare = MakeDatabase,
       .spoil =
           [](TestHost&, v1::Task& t) {
             t.mutable_action()->mutable_backup()->mutable_target()->set_url("/nowhere/live.db");
           },
       .names = "database items is not at /nowhere/live.db"},
      {.name = "migrate",
       .fill = [](TestHost& h,
                  v1::Action& a) { FillTarget(h, *a.mutable_migrate()->mutable_target()); },
       .untouched = Verdict::not_applied,
       .prepare = MakeDatabase,
       .spoil =
           [](TestHost&, v1::Task& t) {
             t.mutable_action()->mutable_migrate()->mutable_target()->set_migrations("db/none");
           },
       .names = "has no file db/none"},
  };
}

const auto kNameOf = [](const auto& info) { return info.param.name; };
INSTANTIATE_TEST_SUITE_P(Table, ActionConformance, testing::ValuesIn(KindsThatLookOrDeploy()),
                         kNameOf);
INSTANTIATE_TEST_SUITE_P(Services, ActionConformance, testing::ValuesIn(KindsForServices()),
                         kNameOf);
INSTANTIATE_TEST_SUITE_P(Databases, ActionConformance, testing::ValuesIn(KindsForDatabases()),
                         kNameOf);

}  // namespace
}  // namespace slipway::agent
