// Peers that attack the controller's listeners, while good agents do their work beside them: no
// attack stops a rollout, costs a good session, or takes memory without bound.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <functional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/clock.h"
#include "common/tls/credentials.h"
#include "slipway/v1/agent_session.grpc.pb.h"
#include "tests/hostile/rude_client.h"
#include "tests/integration/mini_fleet.h"

namespace slipway::test {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(120);  // of a busy machine
// A call that waits costs some 50 KB: whoever opens 10,000 of them at once is felt, and bounded.
constexpr std::uint64_t kControllerMemoryMax = std::uint64_t{1} << 30;
constexpr char kConnect[] = "/slipway.v1.AgentSessionService/Connect";
constexpr char kEnrol[] = "/slipway.v1.EnrolmentService/Enrol";

constexpr char kNoop[] = R"(plan: 1
name: nothing
environment: test
groups:
  all: { select: "name=web-1", exactly: 1 }
phases:
  - phase: first
    hosts: all
    strategy: { canary: { hosts: 0 }, batch: 1 }
    steps:
      - noop: {}
)";

std::string Times(int n, const std::function<std::string(int)>& make) {
  std::string all;
  for (int i = 0; i < n; ++i) all += make(i);
  return all;
}

// Odd numbers, as a client has to.
std::uint32_t Stream(int i) {
  return static_cast<std::uint32_t>(2 * i + 1);
}

struct Attack {
  const char* name;
  std::string bytes;  // behind the preface
};

std::string Open(std::string_view call, int i) {
  return Frame(kHeaders, kEndHeaders, Stream(i), call);
}

// The head of a message, not compressed, of `bytes` bytes.
std::string MessageOf(std::uint64_t bytes) {
  return Number(0, 1) + Number(bytes, 4);
}

std::string DataFrames(int n) {
  return Times(n, [](int) { return Frame(kData, 0, 1, std::string(16 << 10, 'x')); });
}

std::vector<Attack> AttacksByCalls(std::string_view call) {
  const auto reset = [&](int i) {
    return Open(call, i) + Frame(kReset, 0, Stream(i), Number(8, 4));
  };
  const auto open = [&](int i) { return Open(call, i); };
  const auto close = [&](int i) {
    return Frame(kHeaders, kEndHeaders | kEndStream, Stream(i), call);
  };
  return {
      {"rapid reset", Times(5'000, reset)},
      {"10,000 streams", Times(10'000, open)},
      {"streams that end at once", Times(2'000, close)},
      {"even streams", Frame(kHeaders, kEndHeaders, 2, call)},
      {"streams backwards", open(100) + open(3)},
      {"a method that nobody has", Open(CallOf("/no.such.Service/Method"), 0)},
      {"a method of 15,000 bytes", Open(CallOf(std::string(15'000, '/')), 0)},
  };
}

std::vector<Attack> AttacksByMessages(std::string_view call) {
  const std::string open = Open(call, 0);
  const auto empty = [](int) { return Frame(kData, 0, 1, MessageOf(0)); };
  const auto nothing = [](int) { return Frame(kData, 0, 1, ""); };
  return {
      {"message of 4 MiB and a byte",
       open + Frame(kData, 0, 1, MessageOf((4 << 20) + 1)) + DataFrames(257)},
      {"message of 1 GiB, announced",
       open + Frame(kData, 0, 1, MessageOf(1 << 30)) + DataFrames(64)},
      {"message of 4 GiB, announced", open + Frame(kData, 0, 1, MessageOf(0xFFFFFFFF) + "x")},
      {"a message that is no protobuf",
       open + Frame(kData, 0, 1, MessageOf(5) + "\xff\xff\xff\xff\xff")},
      {"empty messages", open + Times(50'000, empty)},
      {"empty data", open + Times(100'000, nothing)},
      {"more than the window", open + DataFrames(1'000)},
  };
}

std::vector<Attack> AttacksByHeaders(const std::string& call) {
  const std::string begin = Frame(kHeaders, 0, 1, call);
  const std::string end = Frame(kContinuation, kEndHeaders, 1, "");
  const std::string large = Frame(kContinuation, 0, 1, Field("x-large", std::string(16'000, 'x')));
  const std::string small = Frame(
      kContinuation, 0, 1, Times(10, [](int i) { return Field(absl::StrCat("x-", i), "y"); }));
  const std::string table = "\x3f\xff\xff\xff\xff\x0f";  // its size becomes 4 GiB
  return {
      {"headers of a megabyte", begin + Times(64, [&](int) { return large; }) + end},
      {"10,000 header fields", begin + Times(1'000, [&](int) { return small; }) + end},
      {"headers that never end",
       begin + Times(50'000, [](int) { return Frame(kContinuation, 0, 1, ""); })},
      {"a header table of 4 GiB", Open(table + call, 0)},
  };
}

std::vector<Attack> AttacksByFrames() {
  const auto counted = [](int i) { return Number(static_cast<std::uint64_t>(i), 8); };
  const auto window = [](int i) {
    return Number(4, 2) + Number(static_cast<std::uint64_t>(i), 4);  // SETTINGS_INITIAL_WINDOW_SIZE
  };
  return {
      {"ping flood", Times(10'000, [&](int i) { return Frame(kPing, 0, 0, counted(i)); })},
      {"settings flood", Times(5'000, [](int) { return Frame(kSettings, 0, 0, ""); })},
      {"settings that change all the time",
       Times(5'000, [&](int i) { return Frame(kSettings, 0, 0, window(i)); })},
      {"window updates that overflow",
       Times(10, [](int) { return Frame(kWindowUpdate, 0, 0, Number(0x7fffffff, 4)); })},
      {"window updates of nothing",
       Times(10'000, [](int) { return Frame(kWindowUpdate, 0, 0, Number(0, 4)); })},
      {"priority flood",
       Times(50'000, [](int i) { return Frame(kPriority, 0, Stream(i), Number(0, 5)); })},
      {"data on no stream", Frame(kData, 0, 0, "x")},
      {"frame of 16 MiB",
       Number((16 << 20) - 1, 3) + Number(kData, 1) + Number(0, 5) + std::string(1 << 20, 'x')},
      {"unknown frames", Times(50'000, [](int) { return Frame(0xee, 0xff, 77, "what"); })},
  };
}

std::vector<Attack> Attacks(std::string_view method) {
  const std::string call = CallOf(method);
  std::vector<Attack> all = AttacksByCalls(call);
  for (const auto& more : {AttacksByMessages(call), AttacksByHeaders(call), AttacksByFrames()}) {
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

class HostileMessages : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    // Room for two thousand sockets here and as many in the controller, which inherits it.
    rlimit files{};
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    signal(SIGPIPE, SIG_IGN);
  }
  void SetUp() override {
    ASSERT_TRUE(fleet_.StartAgents(2)) << fleet_.Logs();
    ASSERT_TRUE(fleet_.PushRelease());
    // The second host is the attacker's now.
    fleet_.agent("web-2").Signal(SIGKILL);
    fleet_.agent("web-2").Wait();
  }

  tls::KeyMaterial Stolen() const {
    const std::string dir = fleet_.AgentDir("web-2");
    return {ContentOf(dir + "/ca.pem"), ContentOf(dir + "/agent.pem"),
            ContentOf(dir + "/agent.key")};
  }
  int PortOf(const std::string& listener) const {
    const std::string endpoint = fleet_.Endpoint(listener);
    int port = 0;
    EXPECT_TRUE(absl::SimpleAtoi(endpoint.substr(endpoint.rfind(':') + 1), &port)) << endpoint;
    return port;
  }
  // A rollout from the request to its end, on the good host.
  void ExpectWork(const std::string& during) {
    v1::Rollout rollout;
    const grpc::Status status = fleet_.Deploy(kNoop, rollout);
    ASSERT_TRUE(status.ok()) << during << ": " << status.error_message();
    ASSERT_TRUE(fleet_.AwaitRollout(rollout.id(), [](const v1::Rollout& r) {
      return r.has_ended();
    })) << during;
    EXPECT_EQ(fleet_.Get(rollout.id()).state(), v1::Rollout::SUCCEEDED) << during;
  }
  // Of its own life: "VmHWM" of /proc/PID/status.
  std::uint64_t ControllersPeak() {
    std::ifstream status(absl::StrCat("/proc/", fleet_.controller().pid(), "/status"));
    for (std::string word; status >> word;) {
      std::uint64_t kilobytes = 0;
      if (word == "VmHWM:" && status >> kilobytes) return kilobytes * 1024;
    }
    ADD_FAILURE() << "the controller is gone:\n" << fleet_.Logs();
    return 0;
  }
  // Again and again while the controller has still to do with the attack before.
  static std::unique_ptr<RudeClient> Connect(int port, const tls::KeyMaterial& material) {
    const absl::Duration give_up = SystemClock().Monotonic() + kPatience;
    do {
      auto client = std::make_unique<RudeClient>(port, material);
      if (client->connected()) return client;
    } while (SystemClock().Monotonic() < give_up);
    return nullptr;
  }
  void Play(const std::string& listener, std::string_view method,
            const tls::KeyMaterial& material) {
    for (const Attack& attack : Attacks(method)) {
      SCOPED_TRACE(absl::StrCat(attack.name, " at ", listener));
      const auto client = Connect(PortOf(listener), material);
      ASSERT_NE(client, nullptr);
      if (client->Send(Preface())) (void)client->Send(attack.bytes);
      EXPECT_LT(ControllersPeak(), kControllerMemoryMax);
      ASSERT_TRUE(fleet_.AwaitHost("web-1", v1::Host::CONNECTED));
    }
    ExpectWork("after the attacks");
  }

  MiniFleet fleet_;
};

TEST_F(HostileMessages, StrangersCannotHurtTheEnrolmentListener) {
  Play("enrolment", kEnrol, {});
}

TEST_F(HostileMessages, CompromisedAgentCannotHurtTheOthers) {
  Play("agents", kConnect, Stolen());
}

TEST_F(HostileMessages, CompromisedAgentCannotHurtTheOperators) {
  Play("operators", "/slipway.v1.RolloutService/CreateRollout", Stolen());
}

TEST_F(HostileMessages, MessagesBeyondTheLimitEndTheirCallAndNothingElse) {
  const std::string person = fleet_.dir() + "/controller/operators/alice/";
  const auto channel = fleet_.Channel(fleet_.Endpoint("operators"), person + "ca.pem",
                                      person + "operator.pem", person + "operator.key");
  const auto rollouts = v1::RolloutService::NewStub(channel);
  v1::CreateRolloutRequest request;
  request.set_request_id("too-large");
  request.set_plan(std::string((4 << 20) + 1, 'x'));
  grpc::ClientContext context;
  v1::Rollout rollout;
  EXPECT_EQ(rollouts->CreateRollout(&context, request, &rollout).error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);

  const std::string dir = fleet_.AgentDir("web-2");
  const auto agents = v1::AgentSessionService::NewStub(fleet_.Channel(
      fleet_.Endpoint("agents"), dir + "/ca.pem", dir + "/agent.pem", dir + "/agent.key"));
  grpc::ClientContext session;
  const auto stream = agents->Connect(&session);
  v1::AgentMessage hello;
  hello.mutable_hello()->set_protocol(1);
  hello.mutable_hello()->set_nonce(std::string((1 << 20) + 1, 'x'));
  stream->Write(hello);
  v1::ControllerMessage answer;
  while (stream->Read(&answer)) {
  }
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  ExpectWork("after messages that were too large");
  EXPECT_LT(ControllersPeak(), kControllerMemoryMax);
}

TEST_F(HostileMessages, TwoThousandSocketsThatNeverFinishAreCutWhileOthersWork) {
  constexpr int kSockets = 2'000;
  // A record of a ClientHello that ends after a few bytes; a byte of it; nothing; other protocols.
  const std::vector<std::string> beginnings = {std::string("\x16\x03\x01\x02\x00\x01\x00", 7),
                                               "\x16", "", "GET / HTTP/1.1\r\nHost: x\r\n",
                                               Preface()};
  std::vector<pollfd> sockets;
  for (int i = 0; i < kSockets; ++i) {
    const int fd = ConnectTo(PortOf(i % 2 == 0 ? "agents" : "enrolment"));
    ASSERT_GE(fd, 0) << i;
    const std::string& text = beginnings[static_cast<std::size_t>(i) % beginnings.size()];
    (void)send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    sockets.push_back({fd, POLLIN, 0});
  }
  ExpectWork("among two thousand sockets");
  EXPECT_EQ(fleet_.Host("web-1").state(), v1::Host::CONNECTED);
  const absl::Duration give_up = SystemClock().Monotonic() + kPatience;
  std::size_t open = sockets.size();
  while (open > 0 && SystemClock().Monotonic() < give_up) {
    poll(sockets.data(), sockets.size(), 100);
    for (pollfd& one : sockets) {
      char buffer[1024];
      if (one.fd < 0 || one.revents == 0 || recv(one.fd, buffer, sizeof buffer, MSG_DONTWAIT) > 0)
        continue;
      close(one.fd);
      one.fd = -1;
      --open;
    }
  }
  EXPECT_EQ(open, 0u) << "were never cut";
  for (const pollfd& one : sockets) {
    if (one.fd >= 0) close(one.fd);
  }
  EXPECT_LT(ControllersPeak(), kControllerMemoryMax);
  ExpectWork("after them");
}

}  // namespace
}  // namespace slipway::test
