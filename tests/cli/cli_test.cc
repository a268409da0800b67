// The real program against a controller that answers what the test says.

#include <signal.h>

#include "tests/cli/cli_fixture.h"

namespace slipway::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST_F(CliTest, Exit0WhenDone) {
  EXPECT_EQ(DeployThatEnds(RolloutIn(v1::Rollout::SUCCEEDED)), 0);
  EXPECT_THAT(output_, HasSubstr("shop 2.4.0 is out"));
  EXPECT_THAT(output_, HasSubstr("2 hosts on 2.4.0"));
}

TEST_F(CliTest, Exit0WhenThereIsNothingToChange) {
  now_ = RolloutIn(v1::Rollout::SUCCEEDED);
  EXPECT_EQ(Deploy(), 0);
}

TEST_F(CliTest, Exit1OnAnUnexpectedError) {
  now_ = absl::InternalError("contradiction in rollout ro-M4TZ7K");
  EXPECT_EQ(Deploy(), 1);
  EXPECT_THAT(output_, HasSubstr("contradiction"));
}

TEST_F(CliTest, Exit2OnWrongUsage) {
  EXPECT_EQ(Run({"deploy"}), 2);
  EXPECT_EQ(Run({"deploy", dir_ + "/plan.yaml"}), 2) << "no release is named";
  EXPECT_EQ(Run({"watch", "--timeout", "90"}), 2) << "no unit";
  EXPECT_EQ(Run({"abort", "ro-M4TZ7K"}), 2) << "no reason";
}

TEST_F(CliTest, Exit3WhenThePlanIsInvalidAndItsPlaceIsShown) {
  v1::PlanProblems problems;
  auto* problem = problems.add_problems();
  problem->set_code("P014");
  problem->set_message("unknown key `bacth`");
  problem->set_file("plan.yaml");
  problem->set_line(7);
  problem->set_column(5);
  problem->set_length(5);
  problem->set_source_line("    bacth: 25%");
  problem->set_label("did you mean `batch`?");
  script_.plan_problems = problems.SerializeAsString();
  now_ = absl::InvalidArgumentError("1 problem in the plan");
  EXPECT_EQ(Deploy(), 3);
  EXPECT_THAT(output_, HasSubstr("plan.yaml:7:5"));
  EXPECT_THAT(output_, HasSubstr("^^^^^ did you mean `batch`?"));
}

TEST_F(CliTest, Exit4WithoutACertificateOrWhenNotAllowed) {
  Program without({"status"}, {});
  EXPECT_EQ(without.Wait(), 4);
  now_ = absl::PermissionDeniedError("an agent may not call GetRollout");
  EXPECT_EQ(Run({"status"}), 4);
}

TEST_F(CliTest, Exit5WhenNotFound) {
  now_ = absl::NotFoundError("no rollout begins with `ro-XXXX`");
  EXPECT_EQ(Run({"status", "ro-XXXX"}), 5);
  EXPECT_EQ(Run({"deploy", dir_ + "/nowhere.yaml", "--version", "1"}), 5);
}

TEST_F(CliTest, Exit6WhenItCannotBeNow) {
  now_ = absl::FailedPreconditionError("web-1 is locked by ro-AAAA: release 2.3.1");
  EXPECT_EQ(Deploy(), 6);
  EXPECT_THAT(output_, HasSubstr("locked by ro-AAAA"));
}

TEST_F(CliTest, Exit7WhenTheControllerIsNotThere) {
  controller_->Stop();
  EXPECT_EQ(Run({"status"}), 7);
  EXPECT_THAT(output_, HasSubstr("not reachable"));
}

TEST_F(CliTest, Exit8WhenWaitingWasGivenUp) {
  EXPECT_EQ(DeployThatEnds(RolloutIn(v1::Rollout::RUNNING), {"--timeout", "300ms"}), 8);
  EXPECT_THAT(output_, HasSubstr("slipway watch ro-M4TZ7K"));
}

TEST_F(CliTest, Exit10WhenAPersonMustAct) {
  EXPECT_EQ(DeployThatEnds(RolloutIn(v1::Rollout::NEEDS_PERSON)), 10);
}

TEST_F(CliTest, Exit11WhenRolledBackAndTheCauseIsNamed) {
  v1::Rollout end = RolloutIn(v1::Rollout::ROLLED_BACK);
  auto* failure = end.add_failures();
  failure->set_host("web-2");
  failure->set_phase("backend");
  failure->set_step("start shop");
  failure->set_attempts(3);
  failure->set_message("exit 1 after 0.3 s");
  failure->set_excerpt("config loaded\nfatal: cannot bind \x1b[2J\n");
  EXPECT_EQ(DeployThatEnds(end), 11);
  EXPECT_THAT(output_, HasSubstr("shop 2.4.0 was rolled back to 2.3.1"));
  EXPECT_THAT(output_, HasSubstr("3 tries, exit 1 after 0.3 s"));
  EXPECT_THAT(output_, HasSubstr("fatal: cannot bind \\x1b[2J"));
  EXPECT_THAT(output_, HasSubstr("2 hosts on 2.3.1"));
  EXPECT_THAT(output_, HasSubstr("slipway logs ro-M4TZ7K web-2 --failed"));
  EXPECT_THAT(output_, Not(HasSubstr("\x1b")));
}

TEST_F(CliTest, Exit12WhenAborted) {
  EXPECT_EQ(DeployThatEnds(RolloutIn(v1::Rollout::ABORTED)), 12);
}

TEST_F(CliTest, Exit13WhenWaitingForAPersonIsNotWanted) {
  v1::Rollout held = RolloutIn(v1::Rollout::HELD);
  held.set_hold_why("needs_person");
  held.set_hold_text("the migration's outcome is unknown");
  EXPECT_EQ(DeployThatEnds(held, {"--no-wait-approval"}), 13);
  EXPECT_THAT(output_, HasSubstr("the migration's outcome is unknown"));
}

TEST_F(CliTest, Exit130OnCtrlCAndTheRolloutIsNotTouched) {
  script_.steer = [](const std::string& verb,
                     const v1::SteerRequest&) -> absl::StatusOr<v1::Rollout> {
    ADD_FAILURE() << verb << " was called";
    return absl::InternalError("");
  };
  v1::RolloutUpdate update;
  *update.mutable_rollout() = RolloutIn(v1::Rollout::RUNNING, 5);
  auto* change = update.add_changes();
  change->set_sequence(5);
  change->set_text("web-1 start issued");
  script_.updates = {update};
  Program program({"watch", "ro-M4TZ7K"}, controller_->environment());
  ASSERT_TRUE(program.WaitFor("web-1 start issued"));
  program.Signal(SIGINT);
  EXPECT_EQ(program.Wait(), 130);
  EXPECT_THAT(program.output(),
              HasSubstr("the rollout goes on. Come back:  slipway watch ro-M4TZ7K"));
}

TEST_F(CliTest, Exit143OnTerm) {
  v1::RolloutUpdate update;
  *update.mutable_rollout() = RolloutIn(v1::Rollout::RUNNING, 5);
  auto* change = update.add_changes();
  change->set_sequence(5);
  change->set_text("web-1 start issued");
  script_.updates = {update};
  Program program({"watch"}, controller_->environment());
  ASSERT_TRUE(program.WaitFor("web-1 start issued"));
  program.Signal(SIGTERM);
  EXPECT_EQ(program.Wait(), 143);
}

TEST_F(CliTest, PipesGetALineAChangeAndDetailsOnlyWhenAsked) {
  v1::RolloutUpdate update;
  *update.mutable_rollout() = RolloutIn(v1::Rollout::SUCCEEDED, 9);
  auto* issued = update.add_changes();
  issued->set_sequence(8);
  issued->set_text("web-1 start issued");
  issued->set_detail(true);
  auto* ended = update.add_changes();
  ended->set_sequence(9);
  ended->set_text("web-1 start succeeded");
  script_.updates = {update};
  EXPECT_EQ(Run({"watch", "ro-M4TZ7K"}), 0);
  EXPECT_THAT(output_, HasSubstr("web-1 start succeeded\n"));
  EXPECT_THAT(output_, Not(HasSubstr("issued")));
  EXPECT_EQ(Run({"watch", "ro-M4TZ7K", "-v"}), 0);
  EXPECT_THAT(output_, HasSubstr("web-1 start issued\n"));
}

TEST_F(CliTest, LiveViewShowsHostileTextHarmlessly) {
  v1::Rollout rollout = RolloutIn(v1::Rollout::RUNNING, 5);
  rollout.mutable_hosts(0)->set_state(v1::HostStatus::RUNNING);
  rollout.mutable_hosts(0)->set_step("start");
  rollout.mutable_hosts(0)->set_message("\x1b]0;owned\x07 half way");
  v1::RolloutUpdate update;
  *update.mutable_rollout() = rollout;
  script_.updates = {update};
  Program program({"watch"}, controller_->environment(), /*terminal=*/true);
  ASSERT_TRUE(program.WaitFor("half way"));
  EXPECT_THAT(program.output(), HasSubstr("\\x1b]0;owned\\x07"));
  EXPECT_THAT(program.output(), Not(HasSubstr("\x1b]0;")));
  EXPECT_THAT(program.output(), HasSubstr("Ctrl-C leaves, the rollout goes on"));
  program.Signal(SIGINT);
  EXPECT_EQ(program.Wait(), 130);
  EXPECT_THAT(program.output(), HasSubstr("\x1b[?25h")) << "the cursor is shown again";
}

TEST_F(CliTest, WatchSurvivesARestartOfTheController) {
  v1::RolloutUpdate update;
  *update.mutable_rollout() = RolloutIn(v1::Rollout::RUNNING, 5);
  auto* change = update.add_changes();
  change->set_sequence(5);
  change->set_text("web-1 start issued");
  script_.updates = {update};
  Program program({"watch", "ro-M4TZ7K"}, controller_->environment());
  ASSERT_TRUE(program.WaitFor("web-1 start issued"));
  controller_->Stop();
  ASSERT_TRUE(program.WaitFor("controller is away"));
  *update.mutable_rollout() = RolloutIn(v1::Rollout::SUCCEEDED, 9);
  update.clear_changes();
  script_.updates = {update};
  ASSERT_TRUE(controller_->Restart());
  EXPECT_EQ(program.Wait(), 0);
  EXPECT_THAT(program.output(), HasSubstr("controller is back"));
  EXPECT_THAT(program.output(), HasSubstr("shop 2.4.0 is out"));
}

TEST_F(CliTest, JsonIsOneDocumentOfTheContract) {
  EXPECT_EQ(Run({"status", "-o", "json"}), 0);
  EXPECT_THAT(output_, HasSubstr("\"id\": \"ro-M4TZ7K\""));
  EXPECT_EQ(output_.back(), '\n');
}

TEST_F(CliTest, StepsOutputIsEscapedAndRawIsForPipes) {
  script_.logs = "one\x1b[31m\n";
  EXPECT_EQ(Run({"logs", "ro-M4TZ7K"}), 0);
  EXPECT_THAT(output_, HasSubstr("one\\x1b[31m\n"));
  EXPECT_EQ(Run({"logs", "ro-M4TZ7K", "--raw"}), 0);
  EXPECT_EQ(output_, "one\x1b[31m\n");
  Program terminal({"logs", "ro-M4TZ7K", "--raw"}, controller_->environment(), true);
  EXPECT_EQ(terminal.Wait(), 2);
}

TEST_F(CliTest, RepeatsCarryTheSameRequestId) {
  std::vector<std::string> ids;
  int calls = 0;
  script_.steer = [&](const std::string&,
                      const v1::SteerRequest& request) -> absl::StatusOr<v1::Rollout> {
    ids.push_back(request.request_id());
    if (++calls == 1) return absl::UnavailableError("storage is busy");
    return RolloutIn(v1::Rollout::HELD);
  };
  EXPECT_EQ(Run({"pause", "ro-M4TZ7K"}), 0);
  ASSERT_EQ(ids.size(), 2u);
  EXPECT_EQ(ids[0], ids[1]);
  EXPECT_FALSE(ids[0].empty());
}

TEST_F(CliTest, PlanValidateNamesEveryMistakeWithoutAController) {
  controller_->Stop();
  std::ofstream(dir_ + "/bad.yaml") << "plan: 1\nname: shop\nenviroment: staging\nphases: 7\n";
  EXPECT_EQ(Run({"plan", "validate", dir_ + "/bad.yaml"}), 3);
  EXPECT_THAT(output_, HasSubstr("bad.yaml:3:1"));
  EXPECT_THAT(output_, HasSubstr("did you mean `environment`?"));
  EXPECT_THAT(output_, HasSubstr("bad.yaml:4:"));
  EXPECT_EQ(Run({"plan", "validate", dir_ + "/bad.yaml", "-o", "json"}), 3);
  EXPECT_THAT(output_, HasSubstr("\"line\": 3"));
  EXPECT_EQ(Run({"plan", "validate", "deploy/media-repository/quickstart.yaml"}), 0);
  EXPECT_THAT(output_, HasSubstr("sound   sha256:"));
}

TEST_F(CliTest, FleetStatusShowsExceptionsFirst) {
  script_.hosts = [](const std::string&) {
    v1::ListHostsResponse response;
    for (const auto& [name, state] :
         {std::pair{"a-fine", v1::Host::CONNECTED}, {"b-silent", v1::Host::SILENT}}) {
      auto* host = response.add_hosts();
      host->set_name(name);
      host->set_state(state);
    }
    response.set_total(2);
    response.set_silent(1);
    response.set_degraded("storage: disk full");
    return response;
  };
  EXPECT_EQ(Run({"fleet", "status"}), 0);
  EXPECT_LT(output_.find("b-silent"), output_.find("a-fine"));
  EXPECT_THAT(output_, HasSubstr("degraded: storage: disk full"));
}

TEST_F(CliTest, FleetStatusAsksForTheExceptionsOfALargeFleetOnly) {
  script_.hosts = [](const std::string&) {
    v1::ListHostsResponse response;
    for (int i = 0; i < 30; ++i) {
      auto* host = response.add_hosts();
      host->set_name("web-" + std::to_string(i));
      host->set_state(i == 7 ? v1::Host::SILENT : v1::Host::CONNECTED);
    }
    response.set_total(30);
    response.set_healthy(29);
    response.set_silent(1);
    return response;
  };
  EXPECT_EQ(Run({"fleet", "status"}), 0);
  EXPECT_EQ(script_.hosts_given, 1);
  EXPECT_THAT(output_, HasSubstr("web-7"));
  EXPECT_THAT(output_, HasSubstr("29 healthy hosts not shown (--all)"));
  EXPECT_EQ(Run({"fleet", "status", "--all"}), 0);
  EXPECT_EQ(script_.hosts_given, 1 + 30);
  EXPECT_THAT(output_, HasSubstr("web-29"));
}

}  // namespace
}  // namespace slipway::cli
