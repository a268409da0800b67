// A peer with one good certificate opens calls and resets them at once (HTTP/2 rapid reset): it
// costs the controller little, and the other agents nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/hostile/rude_client.h"
#include "tests/integration/session_rig.h"

namespace slipway::test {
namespace {

// One connection over which `resets` calls are opened and reset; it stays open.
class Flood {
 public:
  Flood(int port, const tls::KeyMaterial& material, int resets)
      : client_(port, material), thread_([this, resets] { sent_ = Send(resets); }) {}
  ~Flood() {
    if (thread_.joinable()) thread_.join();
  }
  // All of them were sent.
  bool Join() {
    thread_.join();
    return sent_;
  }

 private:
  bool Send(int resets) {
    const std::string call = CallOf("/slipway.v1.AgentSessionService/Connect");
    if (!client_.connected() || !client_.Send(Preface())) return false;
    for (int i = 0; i < resets; ++i) {
      const auto stream = static_cast<std::uint32_t>(2 * i + 1);
      if (!client_.Send(Frame(kHeaders, kEndHeaders, stream, call) +
                        Frame(kReset, 0, stream, Number(8, 4)))) {
        return false;
      }
    }
    return true;
  }

  RudeClient client_;
  bool sent_ = false;
  std::thread thread_;
};

Command CommandFor(const std::string& host, int attempt) {
  Command command;
  command.id = {{"ro-1"}, Course::forward, 0, 0, {host}, attempt};
  command.fence = {7, "holder", 3, "head"};
  command.payload = "task";
  return command;
}

// Bounded in work, not in time: how fast the machine is today changes nothing.
TEST(HostileResets, CommandsOfAnotherAgentAreAnsweredAndTheCertificateIsReadOnce) {
  constexpr int kResets = 20'000;
  signal(SIGPIPE, SIG_IGN);
  const tls::Authority authority = FreshAuthority();
  controller::SessionTiming patient;
  patient.silence = patient.stuck = absl::Hours(1);
  agent::AgentTiming steadfast;
  steadfast.silence = absl::Hours(1);
  ControllerHalf controller(authority, patient);
  AgentHalf agent(controller.address(), MaterialFor(authority, tls::Kind::agent, "web-1"), "a-1",
                  steadfast);
  ASSERT_TRUE(controller.record().Await("attached web-1"));

  Flood flood(controller.port(), MaterialFor(authority, tls::Kind::agent, "web-2"), kResets);
  const auto ask = [&](int attempt) {
    const Command command = CommandFor("web-1", attempt);
    controller.sessions().Send({"web-1"}, command);
    if (!agent.record().Await("received " + ToString(command.id))) return false;
    Answer answer;
    answer.id = command.id;
    agent.session().Answered(answer);
    return controller.record().Await("answered " + ToString(command.id));
  };
  for (int attempt = 1; attempt <= 10; ++attempt) ASSERT_TRUE(ask(attempt)) << attempt;
  ASSERT_TRUE(flood.Join());
  ASSERT_TRUE(ask(11)) << "behind the flood";
  EXPECT_EQ(controller.record().Count("attached web-1"), 1) << "it was never lost";
  EXPECT_EQ(controller.record().Count("attached web-2"), 0);
  EXPECT_EQ(controller.verifier().examined(), 2u) << "one for each of them, not for each call";
}

}  // namespace
}  // namespace slipway::test
