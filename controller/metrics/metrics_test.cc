#include <arpa/inet.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sstream>

#include "common/manual_clock.h"
#include "controller/journal/flaky_journal.h"
#include "controller/metrics/instruments.h"
#include "controller/metrics/metered.h"
#include "controller/metrics/metrics_listener.h"
#include "controller/registry/memory_store.h"
#include "controller/runner/runner_pool.h"
#include "controller/runner/test_fleet.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace slipway::controller {
namespace {

using testing::HasSubstr;
using testing::Not;

const RolloutId kRollout{"ro-1"};
constexpr int kHosts = 3;
constexpr absl::Duration kPatience = absl::Seconds(20);

std::string Text(const prometheus::Registry& registry) {
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, registry.Collect());
  return text.str();
}

// A whole controller but for its listeners, with hosts that do what they are told.
class MeteredController {
 public:
  explicit MeteredController(const std::string& broken = "") {
    if (!broken.empty()) hosts_.Break(TestHost(0), broken);
    RunnerOptions options;
    options.appended = [this](const engine::State& state, const auto& events) {
      instruments_.Appended(state, events);
    };
    pool_ = std::make_unique<RunnerPool>(store_, SystemClock(), outbound_, "holder", options);
    EXPECT_TRUE(pool_->Recover().ok());
    for (int i = 0; i < kHosts; ++i) pool_->Attached(TestHost(i));
  }

  // To its end; false: it took too long.
  bool Run() {
    engine::Planned planned = TestPlan(kHosts, SystemClock().Now());
    NewRollout rollout;
    rollout.id = kRollout;
    rollout.who = "ada";
    rollout.at = SystemClock().Now();
    EXPECT_TRUE(pool_->Create(std::move(rollout), std::move(planned)).ok());
    const absl::Duration deadline = SystemClock().Monotonic() + kPatience;
    while (SystemClock().Monotonic() < deadline) {
      for (const Answer& answer : hosts_.WaitForAnswers(absl::Milliseconds(20))) {
        pool_->Answered(answer.id.host, answer);
      }
      const auto view = pool_->View(kRollout);
      if (view.ok() && (*view)->state.finished) return true;
    }
    return false;
  }
  std::uint64_t records() { return memory_.journal().Read(kRollout, 1)->size(); }
  std::string text() const { return Text(*registry_); }

 private:
  const std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  Instruments instruments_{*registry_};
  MemoryStore memory_;
  MeteredStore store_{memory_, SystemClock(), instruments_};
  TestFleet hosts_;
  MeteredOutbound outbound_{hosts_, instruments_};
  std::unique_ptr<RunnerPool> pool_;
};

TEST(Metrics, RolloutIsCountedByActionAndOutcome) {
  MeteredController controller;
  ASSERT_TRUE(controller.Run());
  const std::string text = controller.text();
  EXPECT_THAT(text, HasSubstr("slipway_rollouts_started_total 1\n"));
  EXPECT_THAT(text, HasSubstr("slipway_rollouts_finished_total{result=\"succeeded\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("slipway_tasks_total{action=\"switch\",outcome=\"succeeded\","
                              "way=\"forward\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("slipway_task_duration_seconds_count{action=\"switch\","
                              "way=\"forward\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("slipway_journal_records_total " +
                              std::to_string(controller.records()) + "\n"));
  EXPECT_THAT(text, HasSubstr("slipway_journal_appends_waiting 0\n"));
  EXPECT_THAT(text, Not(HasSubstr("ro-1"))) << "no label names a rollout";
  EXPECT_THAT(text, Not(HasSubstr("web-"))) << "no label names a host";
}

TEST(Metrics, FailureAndWayBackAreCounted) {
  MeteredController controller("switch");
  ASSERT_TRUE(controller.Run());
  const std::string text = controller.text();
  EXPECT_THAT(text, HasSubstr("slipway_rollbacks_total{automatic=\"true\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("slipway_rollouts_finished_total{result=\"rolled_back\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("slipway_rollouts_finished_total{result=\"succeeded\"} 0\n"))
      << "an end that did not happen is there all the same";
  EXPECT_THAT(text, HasSubstr("slipway_tasks_total{action=\"switch\",outcome=\"failed\","
                              "way=\"forward\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("way=\"back\""));
}

TEST(Metrics, RefusedAppendIsAFailureAndNoRecord) {
  prometheus::Registry registry;
  Instruments instruments(registry);
  MemoryStore memory;
  FlakyJournal flaky(memory.journal());
  ManualClock clock;
  MeteredJournal journal(flaky, clock, instruments);
  auto lease = journal.Acquire(kRollout);
  ASSERT_TRUE(lease.ok());
  flaky.FailAppend(1, absl::ResourceExhaustedError("disk full"));
  EXPECT_FALSE(journal.Append(kRollout, *lease, {"one"}).ok());
  EXPECT_TRUE(journal.Append(kRollout, *lease, {"one", "two"}).ok());
  const std::string text = Text(registry);
  EXPECT_THAT(text, HasSubstr("slipway_journal_append_failures_total 1\n"));
  EXPECT_THAT(text, HasSubstr("slipway_journal_records_total 2\n"));
  EXPECT_THAT(text, HasSubstr("slipway_journal_append_duration_seconds_count 2\n"));
}

TEST(Metrics, HostThatComesAgainIsTold) {
  prometheus::Registry registry;
  Instruments instruments(registry);
  instruments.Attached(TestHost(1));
  instruments.Attached(TestHost(2));
  instruments.Lost();
  instruments.Attached(TestHost(1));
  const std::string text = Text(registry);
  EXPECT_THAT(text, HasSubstr("slipway_agent_sessions_attached_total 3\n"));
  EXPECT_THAT(text, HasSubstr("slipway_agent_sessions_reattached_total 1\n"));
  EXPECT_THAT(text, HasSubstr("slipway_agent_sessions_lost_total 1\n"));
}

// The answer to one request, whole.
std::string Get(const std::string& address, const std::string& path) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to = {};
  to.sin_family = AF_INET;
  to.sin_port =
      htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  if (::connect(socket, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0) {
    const std::string request = "GET " + path + " HTTP/1.0\r\n\r\n";
    EXPECT_EQ(::send(socket, request.data(), request.size(), MSG_NOSIGNAL), request.size());
    char buffer[4096];
    for (ssize_t got; (got = ::recv(socket, buffer, sizeof buffer, 0)) > 0;) {
      answer.append(buffer, static_cast<std::size_t>(got));
    }
  }
  ::close(socket);
  return answer;
}

TEST(Metrics, ListenerAnswersForOnePathOnly) {
  const auto registry = std::make_shared<prometheus::Registry>();
  const Instruments instruments(*registry);
  const auto listener = MetricsListener::Start("127.0.0.1:0", {registry});
  ASSERT_TRUE(listener.ok()) << listener.status();
  EXPECT_THAT(Get((*listener)->address(), "/metrics"),
              HasSubstr("# TYPE slipway_rollouts_started_total counter\n"));
  EXPECT_THAT(Get((*listener)->address(), "/"), HasSubstr(" 404 "));
  EXPECT_THAT(Get((*listener)->address(), "/../../etc/passwd"), Not(HasSubstr("root:")));
}

TEST(Metrics, PortInUseIsSaid) {
  const auto registry = std::make_shared<prometheus::Registry>();
  const auto first = MetricsListener::Start("127.0.0.1:0", {registry});
  ASSERT_TRUE(first.ok()) << first.status();
  const auto second = MetricsListener::Start((*first)->address(), {registry});
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(second.status().message()), HasSubstr((*first)->address()));
}

}  // namespace
}  // namespace slipway::controller
