#include "controller/rpc/rollout_convert.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "slipway/v1/rollout.pb.h"

namespace slipway::controller {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const absl::Time kStart = absl::FromUnixSeconds(1'700'000'000);

// Two hosts, canary first; each does `prepare` on its own, then `start`, which can be undone.
class RolloutConvertTest : public testing::Test {
 protected:
  RolloutConvertTest() {
    engine::Planned planned;
    planned.at = kStart;
    for (const char* name : {"web-1", "web-2"}) {
      planned.hosts.push_back({HostId{name}, "", {{"/srv/shop", "sha256:new"}}});
    }
    for (engine::HostIx host : {0u, 1u}) {
      planned.before[host]["/srv/shop"] = {"sha256:old", "sha256:old", "2.3.1", true};
    }
    engine::Plan plan;
    plan.phases = {{"prepare", 0, absl::ZeroDuration()}, {"backend", 0, absl::ZeroDuration()}};
    plan.parts = {MakePart(0, "prepare", false), MakePart(1, "start shop", true)};
    planned.forward = engine::Forward(plan, 1);
    RolloutDescription description;
    description.plan = "shop";
    description.version = "2.4.0";
    description.previous = {"2.3.1"};
    planned.description = EncodeDescription(description);
    Note(planned);
    for (engine::HostIx host : {0u, 1u}) Say(engine::Attached{kStart, host});
  }

  static engine::Part MakePart(std::uint16_t phase, const char* step_name, bool disruptive) {
    engine::Part part;
    part.phase = phase;
    part.hosts = {0, 1};
    engine::Step step;
    step.name = step_name;
    step.action = "run";
    step.app = "/srv/shop";
    step.traits.disruptive = disruptive;
    if (disruptive) {
      step.traits.undo = engine::Undo::built_in;
      part.strategy.canary = {1, 0};
    }
    part.steps = {step};
    return part;
  }

  void Note(const engine::Event& event) {
    engine::Apply(view_.state, event);
    events_.push_back(event);
  }
  void Say(const engine::Input& input) {
    ASSERT_TRUE(engine::Decide(view_.state, view_.presence, input, events_).ok());
    view_.sequence = events_.size();
  }
  // Every open task of `step` is answered.
  void Answer(const std::string& step, Verdict verdict, const Observed& observed = {}) {
    const auto open = engine::Outstanding(view_.state);
    for (const engine::TaskId& task : open) {
      if (engine::StepOf(view_.state, task).name != step) continue;
      engine::Reported report;
      report.now = now_ += absl::Seconds(1);
      report.task = task;
      report.attempt = view_.state.tasks.at(task).attempt;
      report.verdict = verdict;
      report.message = verdict == Verdict::succeeded ? "" : "exit 1 after 0.3 s";
      report.excerpt = verdict == Verdict::succeeded ? "" : "cannot bind\n";
      report.observed = observed;
      Say(report);
    }
  }
  v1::Rollout Shown() {
    view_.id = RolloutId{"ro-TEST01"};
    return ToProto(view_, kStart);
  }

  RolloutView view_;
  std::vector<engine::Event> events_;
  absl::Time now_ = kStart;
};

TEST_F(RolloutConvertTest, DescriptionSurvivesTheRoundTrip) {
  const RolloutDescription d{"p",
                             "e",
                             "r",
                             "1.0",
                             "sha256:1",
                             "sha256:2",
                             "plan.yaml",
                             "plan: 1\n",
                             "slipway://x/operator/a",
                             "why",
                             "T-1",
                             {"0.9"},
                             absl::Minutes(3)};
  EXPECT_EQ(DecodeDescription(EncodeDescription(d)), d);
  EXPECT_EQ(DecodeDescription("\xff\xff"), RolloutDescription());
}

TEST_F(RolloutConvertTest, RunningRolloutShowsPhasesAndWhatEachHostDoes) {
  Answer("prepare", Verdict::succeeded);
  const v1::Rollout rollout = Shown();
  EXPECT_EQ(rollout.state(), v1::Rollout::RUNNING);
  EXPECT_EQ(rollout.version(), "2.4.0");
  EXPECT_THAT(rollout.previous_versions(), ElementsAre("2.3.1"));
  ASSERT_EQ(rollout.phases_size(), 2);
  EXPECT_EQ(rollout.phases(0).state(), v1::PhaseStatus::DONE);
  EXPECT_EQ(rollout.phases(0).hosts_done(), 2u);
  EXPECT_EQ(rollout.phases(1).state(), v1::PhaseStatus::RUNNING);
  EXPECT_EQ(rollout.phases(1).batch(), 1u);
  EXPECT_EQ(rollout.phases(1).batches(), 2u);
  EXPECT_EQ(rollout.phases(1).hosts(), 2u);
  EXPECT_EQ(rollout.phases(1).hosts_done(), 0u);
  int running = 0;
  for (const auto& host : rollout.hosts()) {
    EXPECT_TRUE(host.connected());
    running += host.state() == v1::HostStatus::RUNNING && host.step() == "start shop";
  }
  EXPECT_EQ(running, 1) << "the canary";
}

TEST_F(RolloutConvertTest, FailureIsNamedWithItsOwnLinesAndTheEndIsRolledBack) {
  Answer("prepare", Verdict::succeeded);
  Observed stopped;
  stopped["/srv/shop"] = {"sha256:new", "", "2.4.0", false};
  Answer("start shop", Verdict::failed, stopped);
  ASSERT_TRUE(view_.state.turned_back);
  EXPECT_EQ(Shown().state(), v1::Rollout::ROLLING_BACK);
  Observed old;
  old["/srv/shop"] = {"sha256:old", "sha256:old", "2.3.1", true};
  Answer("start shop", Verdict::succeeded, old);

  const v1::Rollout rollout = Shown();
  EXPECT_EQ(rollout.state(), v1::Rollout::ROLLED_BACK);
  ASSERT_EQ(rollout.failures_size(), 1);
  EXPECT_EQ(rollout.failures(0).step(), "start shop");
  EXPECT_EQ(rollout.failures(0).excerpt(), "cannot bind\n");
  EXPECT_THAT(rollout.failures(0).command(), HasSubstr("ro-TEST01/f"));
  EXPECT_FALSE(rollout.failures(0).back());
  std::vector<std::string> standings;
  for (const auto& host : rollout.hosts()) standings.push_back(host.standing());
  EXPECT_THAT(standings, testing::UnorderedElementsAre("old", "untouched"));
  EXPECT_TRUE(rollout.has_ended());
}

TEST_F(RolloutConvertTest, TroubleWithTheStorageIsShownAsAHold) {
  view_.trouble = "storage: disk full";
  const v1::Rollout rollout = Shown();
  EXPECT_EQ(rollout.hold_why(), "storage");
  EXPECT_EQ(rollout.hold_text(), "storage: disk full");
}

TEST_F(RolloutConvertTest, ApprovalIsAskedForAndAnswersAreShown) {
  engine::Planned planned = std::get<engine::Planned>(events_.front());
  engine::Gate& gate = planned.forward.batches.front().before;
  gate.kind = engine::Gate::Kind::approval;
  gate.role = "dba";
  gate.text = "is the backup there?";
  gate.within = absl::Hours(1);
  gate.people = {"lena", "max"};
  gate.approvals = 2;
  view_ = {};
  events_.clear();
  Note(planned);
  Say(engine::Tick{kStart});
  v1::Rollout rollout = Shown();
  EXPECT_EQ(rollout.state(), v1::Rollout::HELD);
  EXPECT_EQ(rollout.hold_why(), "gate");
  EXPECT_EQ(rollout.hold_text(), "approval by dba (2 people): is the backup there?");
  EXPECT_EQ(rollout.approval_by(), "dba");
  const v1::Change asked =
      ToProto(view_, {2, std::make_shared<const engine::Event>(events_.back())});
  EXPECT_THAT(asked.text(), HasSubstr("waits for approval by dba"));
  EXPECT_THAT(asked.text(), HasSubstr("slipway approve ro-TEST01"));

  engine::Verb verb{kStart, engine::Verb::Kind::note, "slipway://x/operator/kim", "slow disk", {}};
  Say(verb);
  for (const char* name : {"lena", "max"}) {
    verb.kind = engine::Verb::Kind::approve;
    verb.who = absl::StrCat("slipway://x/operator/", name);
    verb.reason = "seen";
    Say(verb);
  }
  rollout = Shown();
  EXPECT_EQ(rollout.approval_by(), "");
  ASSERT_EQ(rollout.approvals_size(), 2);
  EXPECT_TRUE(rollout.approvals(1).approved());
  EXPECT_EQ(rollout.approvals(1).who(), "slipway://x/operator/max");
  EXPECT_EQ(rollout.approvals(1).role(), "dba");
  EXPECT_EQ(rollout.approvals(1).note(), "seen");
  ASSERT_EQ(rollout.notes_size(), 1);
  EXPECT_EQ(rollout.notes(0).text(), "slow disk");
}

TEST_F(RolloutConvertTest, EveryEventHasALineAndATime) {
  Answer("prepare", Verdict::succeeded);
  Answer("start shop", Verdict::failed);
  bool important = false;
  std::vector<std::string> told;
  for (std::size_t i = 0; i < events_.size(); ++i) {
    const v1::Change change =
        ToProto(view_, {i + 1, std::make_shared<const engine::Event>(events_[i])});
    EXPECT_EQ(change.sequence(), i + 1);
    EXPECT_NE(change.text(), "");
    EXPECT_GE(change.at().seconds(), absl::ToUnixSeconds(kStart));
    important |= change.important() && change.text().find("failed") != std::string::npos;
    if (!change.detail()) told.push_back(change.text());
  }
  EXPECT_TRUE(important);
  EXPECT_THAT(told, Not(Contains(HasSubstr("attempt 1"))));
  EXPECT_THAT(told, Contains(HasSubstr("start shop: failed")));
}

}  // namespace
}  // namespace slipway::controller
