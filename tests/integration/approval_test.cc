// Approvals over real processes: what was said survives a kill, and a no brings the fleet back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "tests/integration/mini_fleet.h"

namespace slipway::test {
namespace {

using testing::HasSubstr;

// Brings the release's file to each host, and asks people between two phases.
std::string PlanOf(const MiniFleet& fleet, const std::string& approve) {
  const std::string dir = std::filesystem::path(fleet.dir()).lexically_normal();
  const std::string app = absl::StrCat("\"", dir, "/{{host}}-app\"");
  return absl::StrCat(
      "plan: 1\nname: nothing\nenvironment: test\ngroups:\n  all: { select: \"role=web\" }\n",
      "people:\n  dba: [alice, lena@example.org, max]\n",
      "strategy: { canary: { hosts: 0 }, batch: 100%, bake: 0s, because: nothing runs }\n",
      "phases:\n  - phase: files\n    hosts: all\n    steps:\n      - stage: { component: files, ",
      "app: ", app, " }\n      - switch: { app: ", app, " }\n",
      "  - phase: last\n    hosts: all\n    approve: ", approve,
      "\n    steps:\n      - noop: {}\n");
}

bool IsOver(const v1::Rollout& rollout) {
  return rollout.has_ended();
}

bool AsksDba(const v1::Rollout& rollout) {
  return rollout.approval_by() == "dba";
}

class ApprovalOverProcesses : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* person : {"lena", "max"}) {
      ASSERT_EQ(RunProgram({MiniFleet::Program("slipway-controller"), "operator", "add", person,
                            "--dir", fleet_.dir() + "/controller"},
                           fleet_.dir() + "/controller.log"),
                0)
          << fleet_.Logs();
    }
    ASSERT_TRUE(fleet_.StartAgents(2)) << fleet_.Logs();
  }

  // The command line as this person types it.
  std::vector<std::string> As(const std::string& person,
                              const std::vector<std::string>& words) const {
    std::vector<std::string> argv = {
        "/usr/bin/env",
        absl::StrCat("SLIPWAY_CONFIG=", fleet_.dir(), "/controller/operators/", person,
                     "/config.yaml"),
        absl::StrCat("SLIPWAY_CONTROLLER=", fleet_.Endpoint("operators")),
        MiniFleet::Program("slipway")};
    argv.insert(argv.end(), words.begin(), words.end());
    return argv;
  }
  // Its exit code; `said_` is what it printed.
  int Say(const std::string& person, const std::vector<std::string>& words) {
    const std::string log = absl::StrCat(fleet_.dir(), "/said-", ++count_);
    const int code = RunProgram(As(person, words), log);
    said_ = ContentOf(log);
    return code;
  }
  // Started by alice; its id, once people are asked.
  std::string DeployUntilAsked(const std::string& approve, const std::string& version) {
    v1::Rollout rollout;
    EXPECT_TRUE(fleet_.PushRelease(version));
    const grpc::Status status = fleet_.Deploy(PlanOf(fleet_, approve), rollout, version);
    EXPECT_TRUE(status.ok()) << status.error_message();
    EXPECT_TRUE(fleet_.AwaitRollout(rollout.id(), AsksDba))
        << fleet_.Get(rollout.id()).DebugString() << fleet_.Logs();
    return rollout.id();
  }
  void RestartKilledController() {
    fleet_.KillController();
    fleet_.StartController();
  }
  std::string FileOn(const std::string& host) const {
    return ContentOf(absl::StrCat(fleet_.dir(), "/", host, "-app/current/note"));
  }

  MiniFleet fleet_;
  std::string said_;
  int count_ = 0;
};

TEST_F(ApprovalOverProcesses, WhatWasSaidBeforeAKillCountsAndTheLastYesLetsItGoOn) {
  const std::string id = DeployUntilAsked("{ by: dba, people: 2 }", "1.0.0");
  EXPECT_EQ(Say("alice", {"approve", id}), 4) << said_;
  EXPECT_THAT(said_, HasSubstr("started this rollout and cannot approve it"));
  EXPECT_EQ(Say("lena", {"approve", id, "--note", "backup is there"}), 0) << said_;
  RestartKilledController();
  ASSERT_TRUE(fleet_.AwaitRollout(id, AsksDba)) << "one yes is not enough\n" << fleet_.Logs();
  EXPECT_EQ(Say("lena", {"approve", id}), 6) << said_;
  EXPECT_EQ(Say("max", {"note", id, "replication lags by 3 s"}), 0) << said_;
  EXPECT_EQ(Say("max", {"approve", id}), 0) << said_;
  ASSERT_TRUE(fleet_.AwaitRollout(id, IsOver)) << fleet_.Get(id).DebugString();
  const v1::Rollout rollout = fleet_.Get(id);
  EXPECT_EQ(rollout.state(), v1::Rollout::SUCCEEDED) << rollout.DebugString();
  ASSERT_EQ(rollout.approvals_size(), 2);
  EXPECT_EQ(rollout.approvals(0).who(), "slipway://localhost/operator/lena");
  EXPECT_EQ(rollout.approvals(0).note(), "backup is there");
  EXPECT_EQ(rollout.approvals(1).who(), "slipway://localhost/operator/max");
  ASSERT_EQ(rollout.notes_size(), 1);
  EXPECT_EQ(rollout.notes(0).text(), "replication lags by 3 s");
}

TEST_F(ApprovalOverProcesses, RejectedAfterAKillItRollsBackAndWhoWatchesLeavesWith11) {
  const std::string first = DeployUntilAsked("{ by: dba }", "1.0.0");
  ASSERT_EQ(Say("max", {"approve", first}), 0) << said_;
  ASSERT_TRUE(fleet_.AwaitRollout(first, IsOver)) << fleet_.Get(first).DebugString();
  ASSERT_TRUE(fleet_.AwaitUnlocked("web-1") && fleet_.AwaitUnlocked("web-2"));

  const std::string id = DeployUntilAsked("{ by: dba }", "2.0.0");
  EXPECT_EQ(FileOn("web-1"), "nothing 2.0.0\n");
  RestartKilledController();
  ASSERT_TRUE(fleet_.AwaitRollout(id, AsksDba)) << fleet_.Logs();
  const std::string log = fleet_.dir() + "/watched";
  Process watch(As("alice", {"watch", id}), log);
  EXPECT_EQ(Say("lena", {"reject", id, "--note", "no backup of today"}), 0) << said_;
  EXPECT_EQ(watch.Wait(), 11) << ContentOf(log) << fleet_.Logs();
  EXPECT_THAT(ContentOf(log), HasSubstr("no backup of today"));
  ASSERT_TRUE(fleet_.AwaitRollout(id, IsOver)) << fleet_.Get(id).DebugString();
  EXPECT_EQ(fleet_.Get(id).state(), v1::Rollout::ROLLED_BACK) << fleet_.Get(id).DebugString();
  for (const char* host : {"web-1", "web-2"}) EXPECT_EQ(FileOn(host), "nothing 1.0.0\n");
}

TEST_F(ApprovalOverProcesses, RolloutThatNobodyElseCouldApproveDoesNotBegin) {
  ASSERT_TRUE(fleet_.PushRelease());
  v1::Rollout rollout;
  const grpc::Status status = fleet_.Deploy(PlanOf(fleet_, "{ by: dba, people: 3 }"), rollout);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr("needs 3 people of role dba besides"));
  EXPECT_THAT(status.error_message(), HasSubstr("and there are 2"));
}

}  // namespace
}  // namespace slipway::test
