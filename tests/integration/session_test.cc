// Both halves of a session over real TLS.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/clock.h"
#include "common/tls/credentials.h"
#include "slipway/v1/agent_session.grpc.pb.h"
#include "tests/integration/session_rig.h"

namespace slipway::test {
namespace {

controller::SessionTiming Slow() {
  controller::SessionTiming timing;
  timing.silence = absl::Hours(1);
  return timing;
}

controller::SessionTiming Quick() {
  controller::SessionTiming timing;
  timing.beat = absl::Milliseconds(50);
  timing.silence = absl::Seconds(1);  // a busy machine may stop a thread for a while
  timing.greeting = absl::Milliseconds(300);
  timing.stuck = absl::Milliseconds(300);
  timing.sweep = absl::Milliseconds(20);
  return timing;
}

Command CommandFor(const std::string& host, int attempt = 1) {
  Command command;
  command.id = {{"ro-1"}, Course::forward, 0, 0, {host}, attempt};
  command.fence = {7, "holder", 3, "head"};
  command.payload = "task";
  return command;
}

bool Eventually(const std::function<bool()>& holds) {
  const absl::Duration give_up = SystemClock().Monotonic() + absl::Seconds(20);
  while (!holds()) {
    if (SystemClock().Monotonic() > give_up) return false;
    SystemClock().Sleep(absl::Milliseconds(5));
  }
  return true;
}

// An agent that does exactly what a test tells it.
class RawAgent {
 public:
  RawAgent(const ControllerHalf& controller, const tls::KeyMaterial& material)
      : stub_(v1::AgentSessionService::NewStub(
            grpc::CreateCustomChannel(controller.address(), tls::MutualChannelCredentials(material),
                                      tls::SessionChannelArguments(cache_)))),
        stream_(stub_->Connect(&context_)) {}
  ~RawAgent() { context_.TryCancel(); }

  void Hello(const std::string& agent_id = "a-1") {
    v1::AgentMessage message;
    auto* hello = message.mutable_hello();
    hello->set_protocol(1);
    hello->set_nonce("0123456789abcdef");
    hello->set_agent_id(agent_id);
    hello->set_boot_id("boot-1");
    Write(message);
  }
  void Write(const v1::AgentMessage& message) { stream_->Write(message); }
  bool Read() { return stream_->Read(&incoming_); }
  grpc::Status Finish() {
    while (Read()) {
    }
    return stream_->Finish();
  }
  const v1::ControllerMessage& incoming() const { return incoming_; }

 private:
  tls::SessionCache cache_;
  grpc::ClientContext context_;
  std::unique_ptr<v1::AgentSessionService::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::AgentMessage, v1::ControllerMessage>> stream_;
  v1::ControllerMessage incoming_;
};

class SessionTest : public testing::Test {
 protected:
  tls::KeyMaterial Agent(const std::string& name) {
    return MaterialFor(authority_, tls::Kind::agent, name);
  }

  const tls::Authority authority_ = FreshAuthority();
};

TEST_F(SessionTest, CommandsAnswersAndAcknowledgementsPass) {
  ControllerHalf controller(authority_, Slow());
  AgentHalf agent(controller.address(), Agent("web-1"));
  ASSERT_TRUE(agent.record().Await("connected"));
  ASSERT_TRUE(controller.record().Await("attached web-1"));
  EXPECT_EQ(controller.record().Count("witnessed web-1 ro-1 7"), 1);

  const Command command = CommandFor("web-1");
  controller.sessions().Send({"web-1"}, command);
  ASSERT_TRUE(agent.record().Await("received ro-1/f0.0/web-1/1")) << agent.record().Text();
  Answer answer;
  answer.id = command.id;
  agent.session().Answered(answer);
  ASSERT_TRUE(controller.record().Await("answered ro-1/f0.0/web-1/1"));
  controller.sessions().Acknowledge({"web-1"}, command.id);
  ASSERT_TRUE(agent.record().Await("acknowledged ro-1/f0.0/web-1/1"));
  controller.sessions().Closed({"web-1"}, {"ro-1"});
  ASSERT_TRUE(agent.record().Await("closed ro-1"));

  agent.session().Refused({command.id, agent::Refusal::Why::no_space, "disk full"});
  EXPECT_TRUE(controller.record().Await("refused ro-1/f0.0/web-1/1 again disk full"));
}

TEST_F(SessionTest, CommandForAHostThatIsAwayIsDropped) {
  ControllerHalf controller(authority_, Slow());
  controller.sessions().Send({"web-1"}, CommandFor("web-1", 1));
  AgentHalf agent(controller.address(), Agent("web-1"));
  ASSERT_TRUE(controller.record().Await("attached web-1"));
  controller.sessions().Send({"web-1"}, CommandFor("web-1", 2));
  ASSERT_TRUE(agent.record().Await("received ro-1/f0.0/web-1/2"));
  EXPECT_EQ(agent.record().Count("received ro-1/f0.0/web-1/1"), 0);
}

TEST_F(SessionTest, BrokenConnectionIsNoticedAtOnceOnBothSides) {
  auto controller = std::make_unique<ControllerHalf>(authority_, Slow());
  {
    AgentHalf agent(controller->address(), Agent("web-1"));
    ASSERT_TRUE(controller->record().Await("attached web-1"));
  }
  ASSERT_TRUE(controller->record().Await("lost web-1"));
  AgentHalf other(controller->address(), Agent("web-2"));
  ASSERT_TRUE(other.record().Await("connected"));
  controller.reset();
  EXPECT_TRUE(other.record().Await("disconnected"));
}

TEST_F(SessionTest, SilentAgentIsLostAndAnAgentThatOnlyBeatsIsNot) {
  ControllerHalf controller(authority_, Quick());
  AgentHalf beating(controller.address(), Agent("web-1"));
  RawAgent silent(controller, Agent("web-2"));
  silent.Hello();
  ASSERT_TRUE(controller.record().Await("attached web-1"));
  ASSERT_TRUE(controller.record().Await("attached web-2"));
  ASSERT_TRUE(controller.record().Await("lost web-2"));
  EXPECT_FALSE(silent.Finish().ok());
  EXPECT_EQ(controller.record().Count("lost web-1"), 0);
  EXPECT_TRUE(Eventually(
      [&] { return controller.view().Find({"web-1"})->round_trip > absl::ZeroDuration(); }));
}

TEST_F(SessionTest, CallerThatNeverSaysHelloIsCutOff) {
  ControllerHalf controller(authority_, Quick());
  RawAgent mute(controller, Agent("web-1"));
  EXPECT_FALSE(mute.Finish().ok());
  EXPECT_EQ(controller.record().Text(), "");
}

TEST_F(SessionTest, AgentThatDoesNotReadLosesItsSession) {
  controller::SessionTiming timing = Slow();
  timing.sweep = absl::Milliseconds(20);
  timing.stuck = absl::Milliseconds(500);
  ControllerHalf controller(authority_, timing);
  RawAgent agent(controller, Agent("web-1"));
  agent.Hello();
  ASSERT_TRUE(controller.record().Await("attached web-1"));
  Command large = CommandFor("web-1");
  large.payload = std::string(64 << 10, 'x');
  for (int i = 0; i < 200; ++i) controller.sessions().Send({"web-1"}, large);
  EXPECT_TRUE(controller.record().Await("lost web-1"));
}

TEST_F(SessionTest, SameAgentThatComesBackTakesItsOldSessionOver) {
  ControllerHalf controller(authority_, Slow());
  const tls::KeyMaterial material = Agent("web-1");
  RawAgent old(controller, material);
  old.Hello();
  ASSERT_TRUE(old.Read());
  AgentHalf agent(controller.address(), material);
  ASSERT_TRUE(controller.record().Await("attached web-1", 2));
  EXPECT_FALSE(old.Finish().ok());
  controller.sessions().Send({"web-1"}, CommandFor("web-1"));
  EXPECT_TRUE(agent.record().Await("received ro-1/f0.0/web-1/1"));
  EXPECT_EQ(controller.record().Count("lost web-1"), 0) << "the host was never away";
}

TEST_F(SessionTest, ControllerGoesDownWhateverItsAgentsDoJustThen) {
  const tls::KeyMaterial material = Agent("web-1");
  for (int i = 0; i < 25; ++i) {
    ControllerHalf controller(authority_, Slow());
    RawAgent agent(controller, material);
    agent.Hello();
    ASSERT_TRUE(controller.record().Await("attached web-1"));
    for (int sent = 0; sent < i; ++sent) controller.sessions().Send({"web-1"}, CommandFor("web-1"));
  }
}

TEST_F(SessionTest, TwoMachinesWithOneIdentityAreBothRefused) {
  ControllerHalf controller(authority_, Slow());
  const tls::KeyMaterial material = Agent("web-1");
  RawAgent first(controller, material);
  first.Hello("a-1");
  ASSERT_TRUE(first.Read());
  RawAgent second(controller, material);
  second.Hello("a-2");
  EXPECT_EQ(second.Finish().error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(first.Finish().error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_TRUE(controller.record().Await("lost web-1"));
  EXPECT_THAT(controller.view().Find({"web-1"})->conflict, testing::HasSubstr("two machines"));
}

TEST_F(SessionTest, CopiesOfOneStateFolderAreFoundOutByTheirTurns) {
  ControllerHalf controller(authority_, Slow());
  const tls::KeyMaterial material = Agent("web-1");
  std::vector<std::unique_ptr<RawAgent>> copies;
  for (int i = 0; i < 5; ++i) {
    copies.push_back(std::make_unique<RawAgent>(controller, material));
    copies.back()->Hello("a-1");
    copies.back()->Read();
  }
  EXPECT_EQ(copies.back()->Finish().error_code(), grpc::StatusCode::FAILED_PRECONDITION);
}

TEST_F(SessionTest, HostSpeaksForItselfOnly) {
  ControllerHalf controller(authority_, Slow());
  RawAgent agent(controller, Agent("web-1"));
  agent.Hello();
  v1::AgentMessage message;
  message.mutable_answer()->set_id("ro-1/f0.0/web-2/1");
  message.mutable_answer()->set_verdict("succeeded");
  agent.Write(message);
  EXPECT_EQ(agent.Finish().error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(controller.record().Count("answered ro-1/f0.0/web-2/1"), 0);
}

TEST_F(SessionTest, AnotherProtocolAndAShortNonceAreRefused) {
  ControllerHalf controller(authority_, Slow());
  RawAgent newer(controller, Agent("web-1"));
  v1::AgentMessage message;
  message.mutable_hello()->set_protocol(2);
  newer.Write(message);
  EXPECT_EQ(newer.Finish().error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  RawAgent short_nonce(controller, Agent("web-1"));
  message.mutable_hello()->set_protocol(1);
  message.mutable_hello()->set_nonce("short");
  short_nonce.Write(message);
  EXPECT_EQ(short_nonce.Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(SessionTest, RetiredHostStopsTrying) {
  ControllerHalf controller(authority_, Slow());
  controller.gate().Retire({"web-1"});
  AgentHalf agent(controller.address(), Agent("web-1"));
  EXPECT_TRUE(agent.record().Await("rejected web-1 is retired")) << agent.record().Text();
  EXPECT_EQ(controller.record().Text(), "");
}

TEST_F(SessionTest, OperatorsCertificateOpensNoSession) {
  ControllerHalf controller(authority_, Slow());
  RawAgent person(controller, MaterialFor(authority_, tls::Kind::operator_, "alice"));
  person.Hello();
  EXPECT_EQ(person.Finish().error_code(), grpc::StatusCode::PERMISSION_DENIED);
}

TEST_F(SessionTest, AgentComesBackToARestartedController) {
  auto controller = std::make_unique<ControllerHalf>(authority_, Slow());
  const int port = controller->port();
  AgentHalf agent(controller->address(), Agent("web-1"));
  ASSERT_TRUE(agent.record().Await("connected"));
  controller.reset();
  ASSERT_TRUE(agent.record().Await("disconnected"));
  ControllerHalf again(authority_, Slow(), port);
  EXPECT_TRUE(agent.record().Await("connected", 2));
  EXPECT_TRUE(again.record().Await("attached web-1"));
}

TEST_F(SessionTest, OutputComesOnDemandAndEndsWithTheSession) {
  ControllerHalf controller(authority_, Slow());
  auto agent = std::make_unique<AgentHalf>(controller.address(), Agent("web-1"));
  ASSERT_TRUE(controller.record().Await("attached web-1"));
  const CommandId id = CommandFor("web-1").id;
  const auto stream = controller.sessions().OpenOutput(id, true);
  const auto piece = stream->Next(absl::Seconds(10));
  ASSERT_TRUE(piece.ok() && piece->has_value()) << piece.status();
  EXPECT_EQ((*piece)->data, "first lines");

  const auto cancelled = controller.sessions().OpenOutput(id, true);
  ASSERT_TRUE(cancelled->Next(absl::Seconds(10)).ok());
  controller.sessions().CloseOutput(cancelled);
  EXPECT_TRUE(agent->record().Await("output cancelled"));

  agent.reset();
  EXPECT_EQ(stream->Next(absl::Seconds(10)).status().code(), absl::StatusCode::kUnavailable);
  ASSERT_TRUE(controller.record().Await("lost web-1"));
  EXPECT_EQ(controller.sessions().OpenOutput(id, false)->Next(absl::Seconds(10)).status().code(),
            absl::StatusCode::kUnavailable);
}

// A controller that welcomes and then says nothing.
class SilentController final : public v1::AgentSessionService::Service {
 public:
  grpc::Status Connect(
      grpc::ServerContext*,
      grpc::ServerReaderWriter<v1::ControllerMessage, v1::AgentMessage>* stream) override {
    v1::AgentMessage message;
    stream->Read(&message);
    v1::ControllerMessage welcome;
    welcome.mutable_welcome();
    stream->Write(welcome);
    while (stream->Read(&message)) {
    }
    return grpc::Status::OK;
  }
};

TEST_F(SessionTest, AgentLeavesASilentControllerAndTriesAgain) {
  SilentController service;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0",
                           tls::MutualServerCredentials(MaterialFor(
                               authority_, tls::Kind::controller, "main", {"localhost"})),
                           &port);
  builder.RegisterService(&service);
  const auto server = builder.BuildAndStart();
  agent::AgentTiming timing;
  timing.silence = absl::Milliseconds(200);
  {
    AgentHalf agent("localhost:" + std::to_string(port), Agent("web-1"), "a-1", timing);
    EXPECT_TRUE(agent.record().Await("disconnected"));
    EXPECT_TRUE(agent.record().Await("connected", 2));
  }
  server->Shutdown();
}

}  // namespace
}  // namespace slipway::test
