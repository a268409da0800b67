// Approvals and remarks.
#include "tests/cli/cli_fixture.h"
#include "tests/cli/golden.h"

namespace slipway::cli {
namespace {

using testing::HasSubstr;

class PeopleTest : public CliTest {
 protected:
  struct Said {
    std::string method;
    v1::SteerRequest request;
  };

  void SetUp() override {
    CliTest::SetUp();
    script_.steer = [this](const std::string& method, const v1::SteerRequest& request) {
      said_.push_back({method, request});
      return answer_;
    };
    answer_ = Waiting();
  }
  static v1::Rollout Waiting() {
    v1::Rollout rollout = RolloutIn(v1::Rollout::HELD, 5);
    rollout.set_hold_why("gate");
    rollout.set_hold_text("approval by dba (2 people): is the backup there?");
    rollout.set_approval_by("dba");
    auto* approval = rollout.add_approvals();
    approval->set_phase("database");
    approval->set_approved(true);
    approval->set_who("slipway://example/operator/lena");
    approval->set_role("dba");
    approval->set_note("backup of 02:00\x1b[2J");
    approval->mutable_at()->set_seconds(1790000000);
    auto* note = rollout.add_notes();
    note->set_who("slipway://example/operator/max");
    note->set_text("replication lags by 3 s");
    note->mutable_at()->set_seconds(1790000060);
    return rollout;
  }

  absl::StatusOr<v1::Rollout> answer_;
  std::vector<Said> said_;
};

TEST_F(PeopleTest, ApproveSaysYesWithItsNote) {
  EXPECT_EQ(Run({"approve", "ro-M4TZ7K", "--note", "backup of 02:00"}), 0);
  ASSERT_EQ(said_.size(), 1u);
  EXPECT_EQ(said_[0].method, "ApproveRollout");
  EXPECT_EQ(said_[0].request.id(), "ro-M4TZ7K");
  EXPECT_EQ(said_[0].request.reason(), "backup of 02:00");
  EXPECT_FALSE(said_[0].request.request_id().empty());
  EXPECT_EQ(said_[0].request.phase(), "") << "what it waits at, and nothing that comes later";
  EXPECT_EQ(Run({"approve", "ro-M4TZ7K"}), 0) << "a note is not needed";
}

TEST_F(PeopleTest, ApproveAheadNamesThePhase) {
  EXPECT_EQ(Run({"approve", "ro-M4TZ7K", "--phase", "database"}), 0);
  ASSERT_EQ(said_.size(), 1u);
  EXPECT_EQ(said_[0].request.phase(), "database");
}

TEST_F(PeopleTest, RejectNeedsANote) {
  EXPECT_EQ(Run({"reject", "ro-M4TZ7K"}), 2);
  EXPECT_TRUE(said_.empty());
  EXPECT_EQ(Run({"reject", "ro-M4TZ7K", "--note", "no backup"}), 0);
  ASSERT_EQ(said_.size(), 1u);
  EXPECT_EQ(said_[0].method, "RejectRollout");
  EXPECT_EQ(said_[0].request.reason(), "no backup");
}

TEST_F(PeopleTest, NoteKeepsARemark) {
  EXPECT_EQ(Run({"note", "ro-M4TZ7K", "replication lags by 3 s"}), 0);
  ASSERT_EQ(said_.size(), 1u);
  EXPECT_EQ(said_[0].method, "NoteRollout");
  EXPECT_EQ(said_[0].request.reason(), "replication lags by 3 s");
  EXPECT_EQ(Run({"note", "ro-M4TZ7K"}), 2);
}

TEST_F(PeopleTest, WhoMayNotApproveIsToldWhy) {
  answer_ = absl::PermissionDeniedError("role dba answers here (lena, max), not kim");
  EXPECT_EQ(Run({"approve", "ro-M4TZ7K"}), 4);
  EXPECT_THAT(output_, HasSubstr("role dba answers here"));
  answer_ = absl::FailedPreconditionError("it does not wait at a gate");
  EXPECT_EQ(Run({"approve", "ro-M4TZ7K"}), 6);
}

TEST_F(PeopleTest, StatusSaysWhoIsWaitedForAndWhatWasSaid) {
  now_ = Waiting();
  EXPECT_EQ(Run({"status", "ro-M4TZ7K"}), 0);
  EXPECT_THAT(output_, HasSubstr("waits for approval by dba (2 people): is the backup there?"));
  EXPECT_THAT(output_, HasSubstr("approved  database by lena as dba"));
  EXPECT_THAT(output_, HasSubstr("backup of 02:00\\x1b[2J"));
  EXPECT_THAT(output_, HasSubstr("noted     by max"));
  EXPECT_THAT(output_, HasSubstr("slipway approve ro-M4TZ7K"));
}

TEST_F(PeopleTest, DeployDoesNotWaitForApprovalWhenAskedNotTo) {
  EXPECT_EQ(DeployThatEnds(Waiting(), {"--no-wait-approval"}), 13);
  ExpectGolden("deploy_waits_for_approval", output_);
}

}  // namespace
}  // namespace slipway::cli
