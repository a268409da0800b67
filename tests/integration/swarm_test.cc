// Two hundred agents in one process and a real controller, which is killed.
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "common/tls/pem_file.h"
#include "tests/integration/mini_fleet.h"

namespace slipway::test {
namespace {

constexpr int kHosts = 200;
constexpr int kSteps = 2;
// A machine that is busy with something else loses the first handshakes of so many.
constexpr absl::Duration kLongPatience = absl::Seconds(100);
constexpr char kPlan[] = R"(plan: 1
name: nothing
environment: test
groups:
  all: { select: "role=web", exactly: 200 }
phases:
  - phase: all
    hosts: all
    strategy: { canary: { hosts: 0 }, batch: 100% }
    steps:
      - noop: {}
      - noop: {}
)";

class SwarmTest : public testing::Test {
 protected:
  // Hosts are enrolled while no controller runs; the swarm dials when it does.
  void SetUp() override {
    fleet_.KillController();
    swarm_ = std::make_unique<Process>(
        std::vector<std::string>{MiniFleet::Program("slipway-swarm"), "--controller",
                                 fleet_.dir() + "/controller", "--hosts", std::to_string(kHosts),
                                 "--label", "role=web", "--hold", hold_, "--dials-per-second",
                                 "100"},
        log_);
    ASSERT_TRUE(MiniFleet::Await([&] { return ContentOf(log_).starts_with("{\"enrolled\": "); }))
        << ContentOf(log_);
    fleet_.StartController();
  }

  void Hold() { ASSERT_TRUE(tls::WriteFile(hold_, "", tls::kPublic).ok()); }
  void LetGo() { ::unlink(hold_.c_str()); }

  // What the swarm said last; 0 before it said anything.
  std::int64_t Count(const std::string& what) const {
    const std::string text = ContentOf(log_);
    const std::size_t end = text.rfind('\n');
    if (end == std::string::npos || end == 0) return 0;
    const std::size_t start = text.rfind('\n', end - 1) + 1;
    const auto line = nlohmann::json::parse(text.substr(start, end - start), nullptr, false);
    return line.is_object() ? line.value(what, std::int64_t{0}) : 0;
  }
  bool AwaitCount(const std::string& what, std::int64_t count) const {
    return MiniFleet::Await([&] { return Count(what) == count; }, kLongPatience);
  }
  std::string Attached() {
    v1::ListHostsResponse response;
    grpc::ClientContext context;
    context.set_wait_for_ready(true);
    context.set_deadline(
        gpr_time_add(gpr_now(GPR_CLOCK_REALTIME), gpr_time_from_seconds(20, GPR_TIMESPAN)));
    const grpc::Status status = fleet_.fleet().ListHosts(&context, {}, &response);
    int connected = 0;
    for (const v1::Host& host : response.hosts()) connected += host.state() == v1::Host::CONNECTED;
    return status.ok() ? std::to_string(connected) : status.error_message();
  }
  bool AwaitAllAttached() {
    return MiniFleet::Await([&] { return Attached() == std::to_string(kHosts); }, kLongPatience);
  }

  // Agents that a starved machine keeps silent are a mass loss, at which the controller asks a
  // person.
  bool HasEnded(const std::string& rollout) {
    const v1::Rollout now = fleet_.Get(rollout);
    if (now.hold_why() == "brake") {
      v1::SteerRequest request;
      request.set_request_id("resume-" + std::to_string(++resumed_));
      request.set_id(rollout);
      v1::Rollout response;
      grpc::ClientContext context;
      context.set_wait_for_ready(true);
      fleet_.rollouts().ResumeRollout(&context, request, &response);
    }
    return now.has_ended();
  }

  int resumed_ = 0;
  MiniFleet fleet_;
  const std::string hold_ = fleet_.dir() + "/hold";
  const std::string log_ = fleet_.dir() + "/swarm.log";
  std::unique_ptr<Process> swarm_;
};

TEST_F(SwarmTest, AllComeBackAndTheRolloutEndsWhenTheControllerIsKilledInIt) {
  ASSERT_TRUE(AwaitAllAttached()) << Attached() << "\n" << ContentOf(log_);
  ASSERT_TRUE(fleet_.PushRelease());
  Hold();
  v1::Rollout rollout;
  const grpc::Status status = fleet_.Deploy(kPlan, rollout);
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_TRUE(AwaitCount("started", kHosts)) << ContentOf(log_);

  fleet_.KillController();
  ASSERT_TRUE(AwaitCount("attached", 0)) << ContentOf(log_);
  fleet_.StartController();
  ASSERT_TRUE(AwaitAllAttached()) << Attached() << "\n" << ContentOf(log_);
  ASSERT_FALSE(fleet_.Get(rollout.id()).has_ended()) << "every host is held";
  LetGo();
  fleet_.KillController();  // wherever they are
  fleet_.StartController();

  ASSERT_TRUE(MiniFleet::Await([&] { return fleet_.Get(rollout.id()).has_ended(); }, kLongPatience))
      << ContentOf(log_);
  rollout = fleet_.Get(rollout.id());
  EXPECT_EQ(rollout.state(), v1::Rollout::SUCCEEDED) << rollout.ShortDebugString();
  EXPECT_EQ(rollout.hosts_size(), kHosts);
  EXPECT_TRUE(AwaitAllAttached()) << Attached();
  EXPECT_TRUE(AwaitCount("started", kHosts * kSteps)) << "each step once on each host\n"
                                                      << ContentOf(log_);
  EXPECT_EQ(Count("rejected"), 0);
}

}  // namespace
}  // namespace slipway::test
