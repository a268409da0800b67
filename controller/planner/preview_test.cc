#include "controller/planner/preview.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/planner/planner_fixture.h"
#include "slipway/v1/rollout.pb.h"

namespace slipway::controller {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// The failure of the step in the first batch that has it.
const v1::PreviewFailure& FailureOf(const v1::RolloutPreview& preview, const std::string& step) {
  for (const v1::PreviewFailure& failure : preview.if_failed()) {
    if (failure.step() == step) return failure;
  }
  ADD_FAILURE() << "no step " << step;
  return v1::PreviewFailure::default_instance();
}

TEST(Preview, ShowsBatchesInOrderWithTheirHosts) {
  const v1::RolloutPreview preview = Preview(kMediaPlan, WebHosts(6));
  std::vector<std::string> batches;
  for (const v1::PreviewBatch& batch : preview.batches()) {
    batches.push_back(batch.phase() + " " + batch.kind() + " " +
                      std::to_string(batch.hosts_size()));
  }
  EXPECT_THAT(batches,
              ElementsAre("prepare  6", "prepare  6", "readiness  6", "backend canary 1",
                          "backend batch 1 of 2 3", "backend batch 2 of 2 2", "verify  6"));
  EXPECT_THAT(preview.batches(3).steps(),
              ElementsAre("stop media", "configure media.toml", "switch media", "start media",
                          "check http", "bake"));
}

TEST(Preview, SaysWhoMustApproveAndCountsNoTimeForIt) {
  const v1::RolloutPreview preview = Preview(PlanWith(R"(people: { dba: [lena, max], qa: [kim] }
phases:
  - phase: a
    steps:
      - approve: { by: dba, people: 2, within: 2h }
      - approve: { by: qa, question: "Fine?" }
      - wait: { lasts: 5m }
)"),
                                             WebHosts(2));
  ASSERT_EQ(preview.batches_size(), 3);
  EXPECT_EQ(preview.batches(0).gate(), "approval by dba (2 of lena, max), within 2h");
  EXPECT_EQ(preview.batches(1).gate(), "approval by qa (kim), within 3d: Fine?");
  EXPECT_EQ(preview.worst_case().seconds(), 300);
}

TEST(Preview, WorstCaseCountsEveryAttempt) {
  const v1::RolloutPreview preview = Preview(kMediaPlan, WebHosts(6));
  // stop: 3 x 1 min and 2 pauses; configure and switch 10 min each; start 20.5; check 10; bake 1.
  EXPECT_EQ(preview.batches(3).worst_case().seconds(), 60 * (3 + 2 + 10 + 10 + 10 + 1) + 1230);
  std::int64_t total = 0;
  for (const v1::PreviewBatch& batch : preview.batches()) total += batch.worst_case().seconds();
  EXPECT_EQ(preview.worst_case().seconds(), total);
}

TEST(Preview, TellsForEveryStepWhatWouldBeUndone) {
  const v1::RolloutPreview preview = Preview(kMediaPlan, WebHosts(6));
  int steps = 0;
  for (const v1::PreviewBatch& batch : preview.batches()) steps += batch.steps_size();
  EXPECT_EQ(preview.if_failed_size(), steps) << "one answer for every prefix";
  EXPECT_EQ(FailureOf(preview, "preflight").undone_size(), 0);
  const auto& undone = FailureOf(preview, "start media").undone();
  ASSERT_GE(undone.size(), 5);
  EXPECT_THAT(undone[0], HasSubstr("undo start media: web-"));
  EXPECT_THAT(undone[1], HasSubstr("undo switch media"));
  EXPECT_THAT(undone[2], HasSubstr("undo configure media.toml"));
  EXPECT_THAT(undone[3], HasSubstr("undo stop media"));
  EXPECT_THAT(undone[4], HasSubstr("check http, bound to the old release"));
  EXPECT_THAT(undone, testing::Contains(HasSubstr("undo stage backend")));
  EXPECT_GT(FailureOf(preview, "start media").takes_at_most().seconds(), 0);
  EXPECT_GE(preview.worst_case_back().seconds(),
            FailureOf(preview, "start media").takes_at_most().seconds());
  for (const v1::PreviewFailure& failure : preview.if_failed()) {
    EXPECT_FALSE(failure.point_of_no_return());
  }
}

TEST(Preview, NamesWhoIsLeftOutAndWhatWasThereBefore) {
  std::vector<PlanHost> hosts = WebHosts(5);
  hosts[0].kept_out = "cordoned by ops-a: disk swap";
  hosts[1].observed["/srv/h2/media"] = Version{"sha256:new", "sha256:new", "2.0.0", true};
  hosts[2].observed["/srv/h3/media"] = Version{"sha256:old", "sha256:old", "1.0.0", true};
  hosts[3].observed["/srv/h4/media"] = Version{"sha256:old", "sha256:old", "1.0.0", true};
  hosts[4].observed["/srv/h5/media"] = Version{"sha256:odd", "sha256:odd", "0.9.0", true};
  const v1::RolloutPreview preview = Preview(kMediaPlan, hosts);
  ASSERT_EQ(preview.left_out_size(), 1);
  EXPECT_EQ(preview.left_out(0).why(), "cordoned by ops-a: disk swap");
  EXPECT_THAT(preview.hosts_already_there(), ElementsAre("web-2"));
  EXPECT_THAT(preview.previous_versions(), ElementsAre("1.0.0", "0.9.0"));
  EXPECT_EQ(preview.version(), "2.0.0");
  EXPECT_EQ(preview.plan(), "unified-media");
}

TEST(Preview, WarningsAreThosePointedAt) {
  const v1::RolloutPreview preview =
      Preview(PlanWith("strategy: { max_failed: 5% }\n"
                       "phases: [{ phase: a, hosts: web, steps: [{ noop: {} }] }]\n"),
              WebHosts(4));
  ASSERT_EQ(preview.warnings_size(), 1);
  EXPECT_EQ(preview.warnings(0).code(), "P103");
  EXPECT_EQ(preview.warnings(0).severity(), v1::PlanProblem::WARNING);
  EXPECT_EQ(preview.batches(0).max_failed(), 1U) << "a share is shown as hosts";
}

TEST(Preview, DigestTellsSchedulesApart) {
  const std::string six = Preview(kMediaPlan, WebHosts(6)).schedule_digest();
  EXPECT_THAT(six,
              AllOf(HasSubstr("sha256:"), Not(Preview(kMediaPlan, WebHosts(5)).schedule_digest())));
  EXPECT_EQ(six, Preview(kMediaPlan, WebHosts(6)).schedule_digest());
}

TEST(Preview, OfALargeFleetIsBounded) {
  const std::string one_by_one = PlanWith(
      "strategy: { batch: 1 }\nphases: [{ phase: a, hosts: web, steps: [{ noop: {} }, { noop: {} "
      "}] }]\n");
  const v1::RolloutPreview preview = Preview(one_by_one, WebHosts(2000));
  EXPECT_EQ(preview.batches_size(), 2000);
  EXPECT_EQ(preview.if_failed_size(), 4) << "the first and the last batch";
}

}  // namespace
}  // namespace slipway::controller
