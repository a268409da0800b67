// Rollouts over real processes: what a kill on either side does not stop.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>

#include "common/clock.h"
#include "common/tls/authority.h"
#include "common/tls/pem_file.h"
#include "tests/integration/barrier.h"
#include "tests/integration/mini_fleet.h"
#include "tests/integration/session_rig.h"

namespace slipway::test {
namespace {

constexpr char kNoop[] = R"(plan: 1
name: nothing
environment: test
groups:
  all: { select: "role=web", exactly: 6 }
phases:
  - phase: first
    hosts: all
    strategy: { canary: { hosts: 1 }, batch: 2 }
    steps:
      - noop: {}
)";

// Brings the release's file to the host.
std::string PlanOfFiles(const MiniFleet& fleet) {
  const std::string dir = std::filesystem::path(fleet.dir()).lexically_normal();
  const std::string app = "\"" + dir + "/{{host}}-app\"";
  return "plan: 1\nname: nothing\nenvironment: test\ngroups:\n  all: { select: \"role=web\" }\n"
         "phases:\n  - phase: files\n    hosts: all\n    strategy: { canary: { hosts: 0 }, batch: "
         "1, bake: 0s, because: nothing runs }\n    steps:\n"
         "      - stage: { component: files, app: " +
         app + " }\n      - switch: { app: " + app + " }\n";
}

bool IsOver(const v1::Rollout& rollout) {
  return rollout.has_ended();
}

bool AllRun(const v1::Rollout& rollout) {
  if (rollout.hosts().empty()) return false;
  for (const v1::HostStatus& host : rollout.hosts()) {
    if (host.state() != v1::HostStatus::RUNNING) return false;
  }
  return true;
}

TEST(RolloutOverProcesses, SixAgentsDoNothingInBatches) {
  MiniFleet fleet;
  ASSERT_TRUE(fleet.StartAgents(6)) << fleet.Logs();
  ASSERT_TRUE(fleet.PushRelease());
  v1::Rollout rollout;
  const grpc::Status status = fleet.Deploy(kNoop, rollout);
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_TRUE(fleet.AwaitRollout(rollout.id(), IsOver)) << fleet.Logs();
  rollout = fleet.Get(rollout.id());
  EXPECT_EQ(rollout.state(), v1::Rollout::SUCCEEDED) << rollout.ShortDebugString();
  EXPECT_EQ(rollout.hosts_size(), 6);
  EXPECT_EQ(rollout.created_by(), "slipway://localhost/operator/alice");
  EXPECT_TRUE(fleet.AwaitUnlocked("web-1")) << "locks are released at the end";
}

TEST(RolloutOverProcesses, KilledControllerGoesOnWhereItWas) {
  MiniFleet fleet;
  const Barrier barrier;
  ASSERT_TRUE(fleet.StartAgents(2)) << fleet.Logs();
  ASSERT_TRUE(fleet.PushRelease());
  v1::Rollout rollout;
  const grpc::Status status = fleet.Deploy(barrier.Plan(2), rollout);
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_TRUE(fleet.AwaitRollout(rollout.id(), AllRun)) << fleet.Get(rollout.id()).DebugString();
  fleet.KillController();
  fleet.StartController();
  barrier.Open();
  ASSERT_TRUE(fleet.AwaitRollout(rollout.id(), IsOver)) << fleet.Get(rollout.id()).DebugString();
  EXPECT_EQ(fleet.Get(rollout.id()).state(), v1::Rollout::SUCCEEDED) << fleet.Logs();
}

TEST(RolloutOverProcesses, WhatAHostHasIsKnownBeforeItIsBackAfterARestart) {
  MiniFleet fleet;
  ASSERT_TRUE(fleet.StartAgents(1)) << fleet.Logs();
  v1::Rollout rollout;
  const auto deploy = [&](const std::string& version) {
    return fleet.PushRelease(version) && fleet.Deploy(PlanOfFiles(fleet), rollout, version).ok();
  };
  ASSERT_TRUE(deploy("1.0.0"));
  ASSERT_TRUE(fleet.AwaitRollout(rollout.id(), IsOver)) << fleet.Logs();
  ASSERT_EQ(fleet.Get(rollout.id()).state(), v1::Rollout::SUCCEEDED) << fleet.Logs();
  ASSERT_TRUE(fleet.AwaitUnlocked("web-1"));
  for (Process* process : {&fleet.agent("web-1"), &fleet.controller()}) {
    process->Signal(SIGTERM);
    ASSERT_EQ(process->Wait(), 0) << fleet.Logs();
  }
  fleet.StartController();
  EXPECT_EQ(fleet.Host("web-1").apps(0).label(), "1.0.0") << "as it said last";
  ASSERT_TRUE(deploy("2.0.0"));
  fleet.StartAgent("web-1");
  ASSERT_TRUE(fleet.AwaitRollout(rollout.id(), IsOver)) << fleet.Logs();
  rollout = fleet.Get(rollout.id());
  EXPECT_EQ(rollout.state(), v1::Rollout::SUCCEEDED) << rollout.ShortDebugString();
  EXPECT_EQ(rollout.hosts(0).standing(), "new");
}

TEST(RolloutOverProcesses, KilledAgentFindsOutWhatBecameOfItsCommand) {
  MiniFleet fleet;
  const Barrier barrier;
  ASSERT_TRUE(fleet.StartAgents(2)) << fleet.Logs();
  ASSERT_TRUE(fleet.PushRelease());
  v1::Rollout rollout;
  const grpc::Status status = fleet.Deploy(barrier.Plan(2), rollout);
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_TRUE(fleet.AwaitRollout(rollout.id(), AllRun)) << fleet.Get(rollout.id()).DebugString();
  fleet.agent("web-1").Signal(SIGKILL);
  ASSERT_EQ(fleet.agent("web-1").Wait(), 128 + SIGKILL);
  ASSERT_TRUE(fleet.AwaitHost("web-1", v1::Host::SILENT));
  fleet.StartAgent("web-1");
  barrier.Open();
  ASSERT_TRUE(fleet.AwaitRollout(rollout.id(), IsOver)) << fleet.Get(rollout.id()).DebugString();
  EXPECT_EQ(fleet.Get(rollout.id()).state(), v1::Rollout::SUCCEEDED) << fleet.Logs();
}

TEST(RolloutOverProcesses, SilentAgentIsLostAfterFiveSecondsAndComesBack) {
  MiniFleet fleet;
  ASSERT_TRUE(fleet.StartAgents(2)) << fleet.Logs();
  const absl::Duration stopped = SystemClock().Monotonic();
  fleet.agent("web-1").Signal(SIGSTOP);
  ASSERT_TRUE(fleet.AwaitHost("web-1", v1::Host::SILENT)) << fleet.Logs();
  const absl::Duration took = SystemClock().Monotonic() - stopped;
  EXPECT_GE(took, absl::Seconds(3)) << "a beat may have come just before";
  EXPECT_LE(took, absl::Seconds(8));
  EXPECT_EQ(fleet.Host("web-2").state(), v1::Host::CONNECTED);
  fleet.agent("web-1").Signal(SIGCONT);
  EXPECT_TRUE(fleet.AwaitHost("web-1", v1::Host::CONNECTED)) << fleet.Logs();
}

TEST(RolloutOverProcesses, RepeatedCallGivesTheFirstAnswer) {
  MiniFleet fleet;
  ASSERT_TRUE(fleet.StartAgents(1)) << fleet.Logs();
  ASSERT_TRUE(fleet.PushRelease());
  const Barrier barrier;
  v1::CreateRolloutRequest request;
  request.set_request_id("once");
  request.set_plan(barrier.Plan(1));
  request.set_release("1.0.0");
  v1::Rollout first, again;
  grpc::ClientContext one, two, three;
  ASSERT_TRUE(fleet.rollouts().CreateRollout(&one, request, &first).ok());
  ASSERT_TRUE(fleet.rollouts().CreateRollout(&two, request, &again).ok());
  EXPECT_EQ(first.id(), again.id());
  request.set_request_id("another");
  const grpc::Status locked = fleet.rollouts().CreateRollout(&three, request, &again);
  EXPECT_EQ(locked.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(locked.error_message(), testing::HasSubstr(first.id()));
}

TEST(RolloutOverProcesses, BadPlanIsRefusedWithItsPlaceInTheFile) {
  MiniFleet fleet;
  v1::Rollout rollout;
  const grpc::Status status = fleet.Deploy("plan: 1\nname: x\nphases: []\n", rollout);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  v1::PlanProblems problems;
  ASSERT_TRUE(problems.ParseFromString(status.error_details()));
  EXPECT_GT(problems.problems_size(), 0);
}

TEST(RolloutOverProcesses, WrongCertificatesAreRefused) {
  MiniFleet fleet;
  ASSERT_TRUE(fleet.StartAgents(1)) << fleet.Logs();
  const auto code = [&](const std::shared_ptr<grpc::Channel>& channel) {
    grpc::ClientContext context;
    v1::ListHostsResponse response;
    return v1::FleetService::NewStub(channel)->ListHosts(&context, {}, &response).error_code();
  };
  const std::string host = fleet.AgentDir("web-1");
  const std::string person = fleet.dir() + "/controller/operators/alice/";
  for (const char* listener : {"operators", "agents"}) {
    EXPECT_EQ(code(fleet.Channel(fleet.Endpoint(listener), host + "/ca.pem", host + "/agent.pem",
                                 host + "/agent.key")),
              grpc::StatusCode::PERMISSION_DENIED)
        << "an agent on the listener of " << listener;
  }
  const tls::Authority other = FreshAuthority();
  const tls::KeyMaterial stranger = MaterialFor(other, tls::Kind::operator_, "alice");
  const std::string folder = fleet.dir() + "/";
  ASSERT_TRUE(tls::WriteFile(folder + "stranger.pem", stranger.certificate_pem, tls::kPublic).ok());
  ASSERT_TRUE(tls::WriteFile(folder + "stranger.key", stranger.key_pem, tls::kPrivate).ok());
  EXPECT_EQ(code(fleet.Channel(fleet.Endpoint("operators"), person + "ca.pem",
                               folder + "stranger.pem", folder + "stranger.key")),
            grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(code(fleet.Channel(fleet.Endpoint("enrolment"), person + "ca.pem",
                               person + "operator.pem", person + "operator.key")),
            grpc::StatusCode::UNAUTHENTICATED)
      << "the enrolment listener serves enrolment only";
}

TEST(RolloutOverProcesses, TokenEnrolsOneHostOnce) {
  MiniFleet fleet;
  const std::string token = fleet.MakeToken("web-1");
  const std::string log = fleet.dir() + "/enrol.log";
  const auto enrol = [&](const std::string& dir) {
    return RunProgram({MiniFleet::Program("slipway-agent"), "enroll", "--token-file", token,
                       "--dir", fleet.dir() + "/" + dir},
                      log);
  };
  EXPECT_EQ(enrol("first"), 0) << ContentOf(log);
  EXPECT_EQ(enrol("second"), 1);
  EXPECT_THAT(ContentOf(log), testing::HasSubstr("ask for a new one"));
}

TEST(RolloutOverProcesses, RetiredHostIsCutOffAndMayBeEnrolledAgain) {
  MiniFleet fleet;
  ASSERT_TRUE(fleet.StartAgents(1)) << fleet.Logs();
  v1::RetireHostRequest request;
  request.set_name("web-1");
  request.set_reason("disk is dying");
  v1::Host host;
  grpc::ClientContext context;
  const grpc::Status status = fleet.fleet().RetireHost(&context, request, &host);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(fleet.agent("web-1").Wait(), 1) << "an agent that is refused ends and says so";
  EXPECT_THAT(fleet.Logs(), testing::HasSubstr("disk is dying"));
  EXPECT_EQ(RunProgram({MiniFleet::Program("slipway-agent"), "enroll", "--again", "--token-file",
                        fleet.MakeToken("web-1"), "--dir", fleet.AgentDir("web-1")},
                       fleet.dir() + "/web-1.log"),
            0)
      << fleet.Logs();
  fleet.StartAgent("web-1");
  EXPECT_TRUE(fleet.AwaitHost("web-1", v1::Host::CONNECTED)) << fleet.Logs();
}

TEST(RolloutOverProcesses, DaemonsEndByThemselvesWhenTold) {
  MiniFleet fleet;
  ASSERT_TRUE(fleet.StartAgents(1)) << fleet.Logs();
  fleet.agent("web-1").Signal(SIGTERM);
  EXPECT_EQ(fleet.agent("web-1").Wait(), 0) << fleet.Logs();
  EXPECT_TRUE(fleet.AwaitHost("web-1", v1::Host::SILENT));
}

}  // namespace
}  // namespace slipway::test
