// What every driver of services promises, the fake included.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/services/service_manager.h"
#include "tests/conformance/service_hosts.h"

namespace slipway::agent {
namespace {

using State = ServiceStatus::State;
using testing::HasSubstr;

const std::vector<Rung> kGentle = {
    {.signal = SIGTERM}, {.wait = absl::Milliseconds(300)}, {.signal = SIGKILL}};

class ServiceManagerConformance : public testing::TestWithParam<HostKind> {
 protected:
  ServiceManagerConformance() : host_(GetParam().make()) {}

  ServiceManager& services() { return host_->services(); }
  ServiceSpec Started(const Conduct& conduct) {
    const ServiceSpec spec = host_->Spec(conduct, host_->release("1.0"));
    const absl::Status started = services().Start(spec);
    EXPECT_TRUE(started.ok()) << started;
    return spec;
  }
  bool Eventually(const std::function<bool()>& condition) {
    const absl::Duration give_up = host_->clock().Monotonic() + absl::Seconds(20);
    while (!condition()) {
      if (host_->clock().Monotonic() > give_up) return false;
      host_->clock().Sleep(absl::Milliseconds(5));
    }
    return true;
  }
  bool Says(const ServiceSpec& spec, const std::string& words) {
    const ServiceStatus status = services().Inspect(spec.id);
    return services().ReadLog(spec.id, status.log_start, 1 << 20).bytes.find(words) !=
           std::string::npos;
  }

  const std::unique_ptr<ServiceHost> host_;
};

TEST_P(ServiceManagerConformance, UnknownServiceIsStopped) {
  const ServiceStatus status = services().Inspect({"/srv/none", "none"});
  EXPECT_EQ(status.state, State::stopped);
  EXPECT_EQ(status.release_dir, "");
  EXPECT_TRUE(services().Services().empty());
  EXPECT_EQ(services().LastLines({"/srv/none", "none"}, {}, 3), "");
}

TEST_P(ServiceManagerConformance, StartedServiceRunsFromItsRelease) {
  const ServiceSpec spec = Started({});
  ASSERT_TRUE(Eventually([&] { return Says(spec, "listening"); }));
  const ServiceStatus status = services().Inspect(spec.id);
  EXPECT_EQ(status.state, State::running);
  EXPECT_GT(status.pid, 0);
  EXPECT_EQ(status.executable, spec.release_dir + "/bin/shop");
  EXPECT_EQ(status.working_dir, spec.release_dir);
  EXPECT_EQ(status.release_env, spec.release_dir);
  EXPECT_EQ(status.release_dir, spec.release_dir);
  EXPECT_GT(status.rss_bytes, 0u);
  EXPECT_GT(status.since, host_->clock().Now() - absl::Minutes(1));
  EXPECT_THAT(services().Services(), testing::ElementsAre(spec.id));
}

TEST_P(ServiceManagerConformance, HowToAskItIsKnownAfterARestartOfTheAgent) {
  ServiceSpec spec = host_->Spec({}, host_->release("1.0"));
  spec.http = "http://127.0.0.1:8080/health";
  spec.http_names = "1.0";
  spec.tcp = "127.0.0.1:8080";
  ASSERT_TRUE(services().Start(spec).ok());
  host_->RestartAgent();
  const ServiceStatus status = services().Inspect(spec.id);
  EXPECT_EQ(status.http, spec.http);
  EXPECT_EQ(status.http_names, spec.http_names);
  EXPECT_EQ(status.tcp, spec.tcp);
}

TEST_P(ServiceManagerConformance, StartingTwiceIsOnce) {
  const ServiceSpec spec = Started({});
  const pid_t pid = services().Inspect(spec.id).pid;
  EXPECT_TRUE(services().Start(spec).ok());
  EXPECT_EQ(services().Inspect(spec.id).pid, pid);
  EXPECT_EQ(host_->Instances(spec), 1);
}

TEST_P(ServiceManagerConformance, AnotherReleaseIsRefusedWhileOneRuns) {
  const ServiceSpec old = Started({});
  const ServiceSpec fresh = host_->Spec({}, host_->release("2.0"));
  const absl::Status refused = services().Start(fresh);
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.message()), HasSubstr(old.release_dir));
  EXPECT_EQ(services().Inspect(old.id).release_dir, old.release_dir);
}

TEST_P(ServiceManagerConformance, StopIsProvedAndMayRepeat) {
  const ServiceSpec spec = Started({.keeps_child = true});
  ASSERT_TRUE(Eventually([&] { return Says(spec, "listening"); }));
  const auto report = services().Stop(spec.id, {.ladder = kGentle});
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_TRUE(report->was_running);
  EXPECT_EQ(report->signal, SIGTERM);
  EXPECT_EQ(host_->Instances(spec), 0);
  EXPECT_EQ(services().Inspect(spec.id).state, State::stopped);

  const auto again = services().Stop(spec.id, {.ladder = kGentle});
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_FALSE(again->was_running);
  EXPECT_EQ(again->signal, 0);
}

TEST_P(ServiceManagerConformance, ServiceThatIgnoresTermIsKilledAtTheNextRung) {
  const ServiceSpec spec = Started({.ignores_term = true});
  ASSERT_TRUE(Eventually([&] { return Says(spec, "listening"); }));
  const auto report = services().Stop(spec.id, {.ladder = kGentle});
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->signal, SIGKILL);
  EXPECT_GE(report->took, absl::Milliseconds(300));
  EXPECT_EQ(host_->Instances(spec), 0);
}

TEST_P(ServiceManagerConformance, StopKeepsItsDeadlineAndNamesTheSurvivor) {
  const ServiceSpec spec = Started({.ignores_term = true});
  ASSERT_TRUE(Eventually([&] { return Says(spec, "listening"); }));
  const auto stopped =
      services().Stop(spec.id, {.ladder = {{.signal = SIGTERM}, {.wait = absl::Hours(1)}},
                                .deadline = host_->clock().Monotonic() + absl::Milliseconds(300)});
  EXPECT_EQ(stopped.status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(stopped.status().message()), HasSubstr("shop"));
  EXPECT_EQ(services().Inspect(spec.id).state, State::running);
}

TEST_P(ServiceManagerConformance, DeathIsNoticedWithItsLastWords) {
  const ServiceSpec spec = Started({.dies = true});
  ASSERT_TRUE(Eventually([&] { return services().Inspect(spec.id).state == State::died; }));
  EXPECT_EQ(services().Inspect(spec.id).ended, "exited with status 3");
  const LogPosition start = services().Inspect(spec.id).log_start;
  EXPECT_EQ(services().LastLines(spec.id, start, 1), "FATAL out of luck");
  EXPECT_EQ(services().LastLines(spec.id, start, 9), "listening\nFATAL out of luck");
}

TEST_P(ServiceManagerConformance, DeadServiceStartsAgainWithAFreshPlaceInItsLog) {
  const ServiceSpec spec = Started({.dies = true});
  ASSERT_TRUE(Eventually([&] { return services().Inspect(spec.id).state == State::died; }));
  Started({.says = "second life"});
  ASSERT_TRUE(Eventually([&] { return Says(spec, "second life"); }));
  EXPECT_FALSE(Says(spec, "FATAL"));
}

TEST_P(ServiceManagerConformance, DaemonizedServiceDoesNotCountAndLeavesNothing) {
  const ServiceSpec spec = Started({.daemonizes = true});
  ASSERT_TRUE(Eventually([&] { return services().Inspect(spec.id).state == State::died; }));
  EXPECT_EQ(host_->Instances(spec), 0);
}

TEST_P(ServiceManagerConformance, MissingProgramIsNamed) {
  const absl::Status started =
      services().Start(host_->Spec({.missing = true}, host_->release("1.0")));
  EXPECT_FALSE(started.ok());
  EXPECT_THAT(std::string(started.message()), HasSubstr("shop could not be started"));
  EXPECT_THAT(std::string(started.message()), HasSubstr("No such file or directory"));
}

TEST_P(ServiceManagerConformance, WhatIsNotThereOrForbiddenIsRefusedByName) {
  for (const Conduct& conduct : {Conduct{.undefined = true}, Conduct{.forbidden = true}}) {
    const ServiceSpec spec = host_->Spec(conduct, host_->release("1.0"));
    const absl::Status started = services().Start(spec);
    EXPECT_FALSE(started.ok());
    EXPECT_THAT(std::string(started.message()),
                testing::AllOf(HasSubstr("shop"), HasSubstr(host_->RefusalOf(conduct))));
    EXPECT_NE(services().Inspect(spec.id).state, State::running);
    EXPECT_EQ(host_->Instances(spec), 0);
    EXPECT_TRUE(services().Stop(spec.id, {.ladder = kGentle}).ok());
  }
}

TEST_P(ServiceManagerConformance, SocketLeftToAChildIsTakenFromIt) {
  const ServiceSpec spec = Started({.leaves_socket = true});
  ASSERT_TRUE(Eventually([&] { return Says(spec, "listening"); }));
  const auto report = services().Stop(spec.id, {.ladder = kGentle, .ports = spec.ports});
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(host_->Instances(spec), 0);
  EXPECT_TRUE(services().Start(host_->Spec({}, host_->release("1.0"))).ok());
}

TEST_P(ServiceManagerConformance, PortOfSomebodyElseStopsAStartAndHasAName) {
  const ServiceSpec spec = host_->Spec({}, host_->release("1.0"));
  host_->Occupy(spec);
  const absl::Status started = services().Start(spec);
  EXPECT_EQ(started.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(started.message()),
              testing::AllOf(HasSubstr("port " + std::to_string(spec.ports[0]) +
                                       " belongs to pid " + std::to_string(getpid())),
                             HasSubstr("which slipway did not start")));
  const auto stopped = services().Stop(spec.id, {.ladder = kGentle, .ports = spec.ports});
  EXPECT_EQ(stopped.status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_P(ServiceManagerConformance, DrainWaitsForConnectionsAtMostAsLongAsAsked) {
  const ServiceSpec spec = Started({});
  ASSERT_TRUE(Eventually([&] { return Says(spec, "listening"); }));
  host_->Connect(spec);
  const auto report =
      services().Stop(spec.id, {.drain = absl::Milliseconds(250), .ladder = kGentle});
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->connections_left, 1);
  EXPECT_GE(report->drained_for, absl::Milliseconds(250));
}

TEST_P(ServiceManagerConformance, ServiceOutlivesTheAgentAndIsNeverDoubled) {
  const ServiceSpec spec = Started({});
  const ServiceStatus before = services().Inspect(spec.id);
  host_->RestartAgent();
  const ServiceStatus after = services().Inspect(spec.id);
  EXPECT_EQ(after.state, State::running);
  EXPECT_EQ(after.pid, before.pid);
  EXPECT_EQ(after.log_start, before.log_start);
  EXPECT_TRUE(services().Start(spec).ok());
  EXPECT_EQ(host_->Instances(spec), 1);
  EXPECT_TRUE(services().Stop(spec.id, {.ladder = kGentle}).ok());
  EXPECT_EQ(host_->Instances(spec), 0);
}

// The agent is killed at many moments of a start; afterwards the same command comes again.
TEST_P(ServiceManagerConformance, AgentKilledInMidStartNeverDoublesTheService) {
  const ServiceSpec spec = host_->Spec({}, host_->release("1.0"));
  for (int i = 0; i < 15; ++i) {
    const pid_t agent = fork();
    if (agent == 0) {
      (void)services().Start(spec);
      _exit(0);
    }
    host_->clock().Sleep(absl::Microseconds(600 * i));
    kill(agent, SIGKILL);
    waitpid(agent, nullptr, 0);
    host_->RestartAgent();
    const absl::Status started = services().Start(spec);
    ASSERT_TRUE(started.ok()) << started;
    ASSERT_TRUE(Eventually([&] { return host_->Instances(spec) == 1; })) << "round " << i;
    ASSERT_EQ(services().Inspect(spec.id).state, State::running);
    const auto stopped = services().Stop(spec.id, {.ladder = kGentle});
    ASSERT_TRUE(stopped.ok()) << stopped.status();
    ASSERT_EQ(host_->Instances(spec), 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Hosts, ServiceManagerConformance, testing::ValuesIn(HostKinds()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace slipway::agent
